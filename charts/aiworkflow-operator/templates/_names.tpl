{{/* The release's name, with the chart's where it does not say what it is; room is left for suffixes. */}}
{{- define "aiworkflow-operator.fullname" -}}
{{- if contains "aiworkflow" .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "aiworkflow-operator.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "aiworkflow-operator.fullname" .) }}
{{- end }}

{{/* Takes the component's `name` and the chart's `root`. */}}
{{- define "aiworkflow-operator.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{/* Without versions: pods need not restart because the chart's number changed. */}}
{{- define "aiworkflow-operator.podLabels" -}}
{{ include "aiworkflow-operator.selector" . }}
app.kubernetes.io/part-of: aiworkflow
{{- end }}

{{- define "aiworkflow-operator.labels" -}}
{{ include "aiworkflow-operator.selector" . }}
app.kubernetes.io/part-of: aiworkflow
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "aiworkflow-operator.image" -}}
{{- with .Values.image }}
{{- .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "aiworkflow-operator.subject" -}}
- kind: ServiceAccount
  name: {{ include "aiworkflow-operator.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
