{{/* Metadata of pods of the operator's image. Takes the component's `name`, the chart's `root` and, of hooks, `annotations`. */}}
{{- define "aiworkflow-operator.podMetadata" -}}
labels:
  {{- with .root.Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- include "aiworkflow-operator.podLabels" . | nindent 2 }}
{{- $given := ternary "" (toYaml .root.Values.podAnnotations) (empty .root.Values.podAnnotations) }}
{{- with compact (list $given .annotations) }}
annotations:
  {{- join "\n" . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Where pods of the operator's image may run and pull from. */}}
{{- define "aiworkflow-operator.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* What the Pod Security Standard "restricted" asks of a pod. */}}
{{- define "aiworkflow-operator.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* And of a container; with a root file system that cannot be written, too. */}}
{{- define "aiworkflow-operator.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The operator's image in a pod that runs to its end: a hook. */}}
{{- define "aiworkflow-operator.oneShotContainer" -}}
image: {{ include "aiworkflow-operator.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{- include "aiworkflow-operator.containerSecurity" . | nindent 2 }}
resources:
  requests: {cpu: 10m, memory: 96Mi}
  limits: {memory: 256Mi}
{{- end }}
