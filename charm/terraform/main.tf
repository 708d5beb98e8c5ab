resource "juju_application" "tidemark" {
  name        = var.app_name
  model_uuid  = var.model_uuid
  units       = var.units
  constraints = var.constraints
  config      = var.config
  resources   = var.resources

  charm {
    name     = "tidemark"
    channel  = var.channel
    revision = var.revision
    base     = var.base
  }
}
