{{- define "aiworkflow-crds.viewRules" -}}
- apiGroups: [aiworkflow.dev]
  resources:
    - aiworkflows
    - aiworkflows/status
    - workers
    - workers/status
    - workers/scale
    - temporalconnections
    - temporalconnections/status
    - clustertemporalconnections
    - clustertemporalconnections/status
  verbs: [get, list, watch]
{{- end }}

{{- define "aiworkflow-crds.editRules" -}}
- apiGroups: [aiworkflow.dev]
  resources: [aiworkflows, workers, temporalconnections]
  verbs: [create, update, patch, delete, deletecollection]
- apiGroups: [aiworkflow.dev]
  resources: [workers/scale]
  verbs: [update, patch]
{{- end }}
