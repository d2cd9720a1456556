{{/* Name of the operator's objects: RELEASE-operator, which DNS labels (63 characters) have room for. */}}
{{- define "sallyport.name" -}}
{{ printf "%s-operator" (.Release.Name | trunc 45 | trimSuffix "-") }}
{{- end }}

{{/* Labels by which the operator's pods are selected. Never changed: a Deployment's selector cannot be. */}}
{{- define "sallyport.selector" -}}
app.kubernetes.io/component: operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/name: sallyport-operator
{{- end }}

{{/*
Labels and annotations of an object of this chart: (dict "root" $ "labels" dict "annotations" dict), the last two if
there are any of its own. What the values say never replaces ours.
*/}}
{{- define "sallyport.metadata" -}}
{{- $values := .root.Values.metadata -}}
{{- $ours := merge (include "sallyport.selector" .root | fromYaml) (dict
  "app.kubernetes.io/version" .root.Chart.AppVersion
  "app.kubernetes.io/part-of" "sallyport"
  "app.kubernetes.io/managed-by" .root.Release.Service) -}}
labels:
  {{- toYaml (merge (dict) $ours (default dict .labels) $values.labels) | nindent 2 }}
{{- with merge (dict) (default dict .annotations) $values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* REGISTRY/PATH of every image of this installation. */}}
{{- define "sallyport.repository" -}}
{{ printf "%s/%s" .Values.image.registry .Values.image.repository }}
{{- end }}

{{- define "sallyport.tag" -}}
{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* The operator's image: REPOSITORY:TAG, with @DIGEST where there is one. */}}
{{- define "sallyport.image" -}}
{{ include "sallyport.repository" . }}:{{ include "sallyport.tag" . }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* The mebibytes of a quantity in Mi or Gi; 0 of any other. */}}
{{- define "sallyport.mebibytes" -}}
{{- $text := toString . -}}
{{- if hasSuffix "Gi" $text }}{{ mul 1024 (trimSuffix "Gi" $text | int) }}
{{- else if hasSuffix "Mi" $text }}{{ trimSuffix "Mi" $text | int }}
{{- else }}0{{ end }}
{{- end }}

{{/*
A regular expression of every image that this installation allows: its own repository and below, and
images.allowedRepositories. A registry alone allows what has a path in it.
*/}}
{{- define "sallyport.allowedImages" -}}
{{- $paths := list -}}
{{- range prepend .Values.images.allowedRepositories (include "sallyport.repository" .) -}}
{{- $paths = append $paths (printf "%s(/[a-z0-9._/-]+)%s" (regexQuoteMeta .) (ternary "?" "" (contains "/" .))) -}}
{{- end -}}
^({{ join "|" $paths }})(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?(@sha256:[0-9a-f]{64})?$
{{- end }}
