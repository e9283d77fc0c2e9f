{{/*
What the operator does in the namespaces it serves, and nothing else. No rule on Secrets: see tenants.yaml.
*/}}
{{- define "aiworkflow-operator.rules" -}}
# Metadata is patched for one finalizer; the spec is the user's.
- apiGroups: [aiworkflow.dev]
  resources: [aiworkflows]
  verbs: [get, list, watch, patch]
- apiGroups: [aiworkflow.dev]
  resources: [workers, temporalconnections]
  verbs: [get, list, watch]
- apiGroups: [aiworkflow.dev]
  resources: [aiworkflows/status, workers/status, temporalconnections/status]
  verbs: [patch]
# A Worker owns its Deployment and blocks on its deletion, which OwnerReferencesPermissionEnforcement asks this for.
- apiGroups: [aiworkflow.dev]
  resources: [workers/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, create]
# Pods are marked with the cost of ending them before their pool shrinks.
- apiGroups: ['']
  resources: [pods]
  verbs: [list, watch, patch]
- apiGroups: ['']
  resources: [configmaps, namespaces]
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
