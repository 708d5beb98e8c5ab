# tidemark on two machines, one of which collects, and an InfluxDB that takes the points.
#
#   terraform init && terraform apply -var token=…
#
# The token is for a second sink; it becomes a secret of the model, granted to tidemark alone. The package comes from an apt
# source, whose public key lies in apt.example.com.asc.

terraform {
  required_providers {
    juju = {
      source  = "juju/juju"
      version = "~> 1.0"
    }
  }
}

variable "token" {
  description = "What a second InfluxDB asks for."
  type        = string
  sensitive   = true
}

resource "juju_model" "metrics" {
  name = "metrics"
}

resource "juju_secret" "credentials" {
  model_uuid = juju_model.metrics.uuid
  name       = "tidemark-credentials"
  value = {
    influxdb2-token = var.token
  }
}

module "tidemark" {
  source = "../.."

  model_uuid = juju_model.metrics.uuid
  units      = 2
  config = {
    package_source = "deb https://apt.example.com/ubuntu noble main"
    package_key    = file("${path.module}/apt.example.com.asc")
    collectors     = "host sponsoring=10m"
    credentials    = juju_secret.credentials.secret_uri
    settings       = <<-TOML
      [[sink]]
      type = "influxdb2"
      url = "https://influxdb2.example.com:8086"
      org = "example"
      bucket = "metrics"
      token = { credential = "tidemark.influxdb2-token" }
    TOML
  }
}

resource "juju_access_secret" "credentials" {
  model_uuid   = juju_model.metrics.uuid
  secret_id    = juju_secret.credentials.secret_id
  applications = [module.tidemark.app_name]
}

resource "juju_application" "influxdb" {
  name       = "influxdb"
  model_uuid = juju_model.metrics.uuid

  charm {
    name    = "influxdb"
    channel = "latest/edge"
  }
}

resource "juju_integration" "influxdb" {
  model_uuid = juju_model.metrics.uuid

  application {
    name     = module.tidemark.app_name
    endpoint = module.tidemark.requires.influxdb
  }

  application {
    name     = juju_application.influxdb.name
    endpoint = "influxdb"
  }
}
