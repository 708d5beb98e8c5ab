output "app_name" {
  description = "What the application is called."
  value       = juju_application.tidemark.name
}

output "requires" {
  description = "The endpoints that need another application's."
  value = {
    influxdb = "influxdb"
  }
}

output "provides" {
  description = "The endpoints that others need."
  value = {
    cos_agent = "cos-agent"
  }
}
