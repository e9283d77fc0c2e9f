{{/*
Annotations of a hook that leaves nothing behind, whether it succeeds or not: Helm does not count hooks as parts of the
release. What a failed one had said is printed by Helm instead. Takes `event` and `weight`.
*/}}
{{- define "aiworkflow-operator.hook" -}}
helm.sh/hook: {{ .event }}
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
helm.sh/hook-output-log-policy: hook-failed
{{- end }}
