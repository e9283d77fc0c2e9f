{{- define "aiworkflow-crds.labels" -}}
app.kubernetes.io/name: aiworkflow-crds
app.kubernetes.io/part-of: aiworkflow
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}
