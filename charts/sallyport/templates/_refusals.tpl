{{/* Values that are each in bounds and cannot hold together end the render with a sentence that says what to write. */}}
{{- define "sallyport.refusals" -}}
{{- $values := .Values }}
{{- with .Values.scope }}
  {{- if and (eq .watch "Named") (not .namespaces) }}
    {{- fail "scope.watch=Named but scope.namespaces names none. List the namespaces to serve, or set scope.watch=All." }}
  {{- else if and (ne .watch "Named") .namespaces }}
    {{- fail (printf "scope.namespaces is set but scope.watch=%s does not read it. Set scope.watch=Named, or remove scope.namespaces." .watch) }}
  {{- else if and (eq .watch "Selected") (not .namespaceSelector) }}
    {{- fail "scope.watch=Selected but scope.namespaceSelector is empty. Write a label selector such as sallyport=enabled." }}
  {{- else if and (ne .watch "Selected") .namespaceSelector }}
    {{- fail (printf "scope.namespaceSelector is set but scope.watch=%s does not read it. Set scope.watch=Selected, or remove scope.namespaceSelector." .watch) }}
  {{- else if and (ne .watch "Named") (not $values.cluster.install) (eq $values.rbac.clusterRole "Create") }}
    {{- fail (printf "scope.watch=%s needs a ClusterRole, and cluster.install=false renders no cluster-scoped object. Set scope.watch=Named and list scope.namespaces; or have an administrator install chart sallyport-cluster with operatorRole.create=true, and set rbac.clusterRole=Existing." .watch) }}
  {{- else if and (eq .watch "Named") (eq $values.rbac.clusterRole "Existing") }}
    {{- fail "rbac.clusterRole=Existing, but scope.watch=Named needs no ClusterRole: with one the operator could read every Secret. Remove rbac.clusterRole." }}
  {{- end }}
{{- end }}
{{- with .Values.leaderElection }}
  {{- if ge (int .renewSeconds) (int .leaseSeconds) }}
    {{- fail "leaderElection.renewSeconds is not below leaderElection.leaseSeconds: a leader must stop before a standby may start. Set it to about two thirds." }}
  {{- else if ge (mulf .retrySeconds 1.2) (float64 .renewSeconds) }}
    {{- fail "leaderElection.retrySeconds is too near to leaderElection.renewSeconds: a leader needs several attempts. Set it to about a fifth." }}
  {{- end }}
{{- end }}
{{- with .Values.image }}
  {{- if eq .tag "latest" }}
    {{- fail "image.tag=latest can change under a running pod. Write a version, and image.digest." }}
  {{- end }}
{{- end }}
{{- $above := .Values.renderVersion }}
{{- range .Values.previousRenders }}
  {{- if ge (int .version) (int $above) }}
    {{- fail (printf "previousRenders holds version %d, which is not below %d. List earlier render versions only, newest first." (int .version) (int $above)) }}
  {{- end }}
  {{- $above = .version }}
{{- end }}
{{- $memory := include "sallyport.mebibytes" .Values.resources.limits.memory | int }}
{{- if and (gt $memory 0) (lt $memory (add 128 .Values.oldSpaceMegabytes | int)) }}
  {{- fail (printf "resources.limits.memory=%s has no room for oldSpaceMegabytes=%d and 128Mi beside it: the operator would be ended for want of memory. Raise the one or lower the other." (toString .Values.resources.limits.memory) (int .Values.oldSpaceMegabytes)) }}
{{- end }}
{{- if and (eq .Values.monitoring.serviceMonitor "Enabled") (not .Values.networkPolicy.monitoringNamespace) }}
  {{- fail "monitoring.serviceMonitor=Enabled but networkPolicy.monitoringNamespace is empty, so that nobody may read /metrics. Name the namespace of your Prometheus." }}
{{- end }}
{{- if hasPrefix "system-" .Values.scheduling.priorityClassName }}
  {{- fail (printf "scheduling.priorityClassName=%s belongs to the cluster itself. Name a PriorityClass of your own; chart sallyport-cluster makes one with priorityClass.create=true." .Values.scheduling.priorityClassName) }}
{{- end }}
{{- end }}
