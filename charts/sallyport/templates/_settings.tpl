{{/* settings.json of the operator: `operator --help` explains each. */}}
{{- define "sallyport.settings" -}}
{{- $repository := include "sallyport.repository" . -}}
{{- $image := dict "repository" $repository "tag" (include "sallyport.tag" .) -}}
{{- with .Values.image.digest }}{{ $_ := set $image "digest" . }}{{ end -}}
{{- $renders := list (dict "version" .Values.renderVersion "image" $image) -}}
{{- range .Values.previousRenders }}
{{- $renders = append $renders (dict "version" .version "image" (dict "repository" $repository "tag" .tag "digest" .digest)) }}
{{- end -}}
{{- dict
  "version" 1
  "installId" (.Values.installId | default .Release.Namespace)
  "namespace" .Release.Namespace
  "scope" .Values.scope
  "workers" .Values.workers
  "leaderElection" (merge (dict "enabled" true "leaseName" (include "sallyport.name" .)) .Values.leaderElection)
  "renders" $renders
  "images" (dict "allowedRepositories" .Values.images.allowedRepositories "pullSecrets" .Values.image.pullSecrets)
  "imagePullPolicy" .Values.images.pullPolicy
  "cluster" (pick .Values.cluster "serviceCIDRs" "podCIDRs" "apiServer")
  "health" (dict "port" 9090)
  "logLevel" .Values.logLevel
  "client" .Values.client
  "keys" .Values.keys
  "shutdownDeadlineSeconds" .Values.shutdownDeadlineSeconds
  | toPrettyJson }}
{{- end }}
