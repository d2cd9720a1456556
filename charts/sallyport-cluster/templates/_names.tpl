{{/*
Labels and annotations of an object of this chart: (dict "root" $ "labels" dict "annotations" dict), the last two if
there are any of its own. What the values say never replaces ours.
*/}}
{{- define "sallyport-cluster.metadata" -}}
{{- $values := .root.Values.metadata -}}
{{- $ours := dict
  "app.kubernetes.io/name" "sallyport-cluster"
  "app.kubernetes.io/instance" .root.Release.Name
  "app.kubernetes.io/version" .root.Chart.AppVersion
  "app.kubernetes.io/component" "cluster"
  "app.kubernetes.io/part-of" "sallyport"
  "app.kubernetes.io/managed-by" .root.Release.Service -}}
labels:
  {{- toYaml (merge (dict) (default dict .labels) $ours $values.labels) | nindent 2 }}
{{- with merge (dict) (default dict .annotations) $values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
