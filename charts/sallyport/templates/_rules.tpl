{{- /* Written by `npm run generate` from src/operator/permissions.ts, where each verb has its reason. Do not edit. */ -}}
{{- define "sallyport.rules.watched" -}}
- apiGroups:
    - sallyport.dev
  resources:
    - signalinggateways
    - relaypools
    - accessroles
    - retentionpolicies
  verbs:
    - list
    - watch
- apiGroups:
    - sallyport.dev
  resources:
    - signalinggateways/status
    - relaypools/status
    - accessroles/status
    - retentionpolicies/status
  verbs:
    - patch
- apiGroups:
    - ''
  resources:
    - configmaps
    - services
    - secrets
  verbs:
    - get
    - list
    - watch
    - create
    - patch
    - delete
- apiGroups:
    - ''
  resources:
    - serviceaccounts
  verbs:
    - get
    - list
    - watch
    - create
    - patch
- apiGroups:
    - apps
  resources:
    - deployments
    - statefulsets
  verbs:
    - get
    - list
    - watch
    - create
    - patch
- apiGroups:
    - apps
  resources:
    - controllerrevisions
  verbs:
    - get
    - list
    - watch
    - create
    - patch
    - delete
- apiGroups:
    - networking.k8s.io
  resources:
    - networkpolicies
  verbs:
    - get
    - list
    - watch
    - create
    - patch
- apiGroups:
    - networking.k8s.io
  resources:
    - ingresses
  verbs:
    - get
    - list
    - watch
    - create
    - patch
    - delete
- apiGroups:
    - policy
  resources:
    - poddisruptionbudgets
  verbs:
    - get
    - list
    - watch
    - create
    - patch
- apiGroups:
    - autoscaling
  resources:
    - horizontalpodautoscalers
  verbs:
    - get
    - list
    - watch
    - create
    - patch
    - delete
- apiGroups:
    - cert-manager.io
  resources:
    - certificates
  verbs:
    - get
    - list
    - watch
    - create
    - patch
    - delete
- apiGroups:
    - monitoring.coreos.com
  resources:
    - servicemonitors
  verbs:
    - get
    - list
    - watch
    - create
    - patch
    - delete
- apiGroups:
    - events.k8s.io
  resources:
    - events
  verbs:
    - create
{{- end }}

{{- define "sallyport.rules.cluster" -}}
- apiGroups:
    - ''
  resources:
    - namespaces
  verbs:
    - list
    - watch
{{- end }}

{{- define "sallyport.rules.operator" -}}
- apiGroups:
    - coordination.k8s.io
  resources:
    - leases
  verbs:
    - create
- apiGroups:
    - coordination.k8s.io
  resources:
    - leases
  resourceNames:
    - {{ include "sallyport.name" . }}
  verbs:
    - get
    - update
{{- end }}
