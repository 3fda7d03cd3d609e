{{- /* At most 47 characters: names made of it, as that of the Role for leader election, have at most 63. */ -}}
{{- define "batchaccess.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 47 | trimSuffix "-" }}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{ .Release.Name | trunc 47 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 47 | trimSuffix "-" }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "batchaccess.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "batchaccess.labels" -}}
{{ include "batchaccess.selectorLabels" . }}
app.kubernetes.io/part-of: batchaccess
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "batchaccess.serviceAccountName" -}}
{{ .Values.serviceAccount.name | default (include "batchaccess.fullname" .) }}
{{- end -}}

{{- define "batchaccess.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "batchaccess.subjects" -}}
- kind: ServiceAccount
  name: {{ include "batchaccess.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
