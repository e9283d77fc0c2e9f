{{/*
Whether any of the fields of spec was added, removed or changed, as CEL. An absent field cannot be compared, so
presence is compared first. Takes the list of fields.
*/}}
{{- define "aiworkflow-crds.changes" -}}
{{ toJson . }}.exists(f, (f in object.spec) != (f in oldObject.spec) || (f in object.spec && object.spec[f] != oldObject.spec[f]))
{{- end }}

{{/*
One validation: the requester may get the Secret that a reference names. Takes `path` below spec, `skip` (CEL: when not
to ask) and `namespace` (CEL: where the Secret lives). One validation a reference, because more than two authorizer
checks in one expression exceed the cost budget; reason Forbidden, because a denial would answer 422 without it.
*/}}
{{- define "aiworkflow-crds.maySecret" -}}
{{- $name := printf "object.spec.?%s.?name.orValue('')" (.path | replace "." ".?") -}}
- expression: >-
    {{ .skip }} || {{ $name }} == '' ||
    authorizer.group('').resource('secrets').namespace({{ .namespace }}).name({{ $name }}).check('get').allowed()
  reason: Forbidden
  message: spec.{{ .path }} names a Secret that you may not get
  messageExpression: >-
    'spec.{{ .path }} names the Secret ' + {{ $name }} + ', which ' + request.userInfo.username +
    ' may not get in namespace ' + {{ .namespace }} + ': whoever decides where a Secret is sent must be allowed to read it'
{{- end }}

{{/* The binding that puts a policy in force everywhere. Takes `name` and the chart's `root`. */}}
{{- define "aiworkflow-crds.binding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  labels: {{- include "aiworkflow-crds.labels" .root | nindent 4 }}
spec:
  policyName: {{ .name }}
  validationActions: [Deny]
{{- end }}
