{{- define "sluice.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "sluice.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- $name := include "sluice.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "sluice.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "sluice.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is required where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "sluice.selectorLabels" -}}
app.kubernetes.io/name: {{ include "sluice.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "sluice.labels" -}}
{{ include "sluice.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "sluice.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* The rules of a role, by its name in manifests/. */}}
{{- define "sluice.rules" -}}
{{- index (.Files.Get "files/rules.yaml" | fromYaml) .role | toYaml }}
{{- end }}

{{/* What the chart's own values say is not to be said again, differently, among the further arguments. */}}
{{- define "sluice.checkedArguments" -}}
{{- $own := dict
  "--namespace" "watchNamespaces" "-n" "watchNamespaces" "--lease-namespace" "the release's namespace"
  "--identity" "the pod's name" "--log-level" "log.level" "--log-format" "log.format"
  "--health-probe-bind-address" "probes.port" "--metrics-bind-address" "metrics" "--gates-bind-address" "gates"
  "--webhook-bind-address" "webhook" "--webhook-failure-policy" "webhook.failurePolicy"
  "--webhook-configuration" "the release's name" "--webhook-namespace-selector" "webhook.namespaceSelector"
  "--webhook-object-selector" "webhook.objectSelector" }}
{{- range .Values.extraArgs }}
{{- $flag := regexFind "^[^= ]*" . }}
{{- if hasKey $own $flag }}
{{- fail (printf "extraArgs: %s is set by the chart, from %s" $flag (get $own $flag)) }}
{{- end }}
{{- end }}
{{- end }}
