variable "model_uuid" {
  description = "The model that tidemark is deployed in."
  type        = string
  nullable    = false
}

variable "app_name" {
  description = "What the application is called."
  type        = string
  default     = "tidemark"
}

variable "channel" {
  description = "The channel that the charm comes from."
  type        = string
  default     = "latest/stable"
}

variable "revision" {
  description = "The charm's revision; the channel's newest where none is given."
  type        = number
  default     = null
}

variable "base" {
  description = "The machine's system."
  type        = string
  default     = "ubuntu@24.04"
}

variable "constraints" {
  description = "What the machines must have, as in `juju deploy --constraints`."
  type        = string
  default     = null
}

variable "units" {
  description = "How many machines; one of them collects, the others stand by."
  type        = number
  default     = 1

  validation {
    condition     = var.units >= 1
    error_message = "At least one unit is needed: write 1 or more."
  }
}

variable "config" {
  description = "The charm's options. Secrets do not belong here: `credentials` takes the id of one."
  type        = map(string)
  default     = {}

  validation {
    condition = length(setsubtract(keys(var.config), [
      "collectors",
      "credentials",
      "dry_run",
      "http_proxy",
      "https_proxy",
      "influxdb_ca",
      "influxdb_database",
      "influxdb_tls",
      "log_level",
      "no_proxy",
      "package_key",
      "package_source",
      "purge_on_removal",
      "settings",
    ])) == 0
    error_message = "There is no such option: charmcraft.yaml has those that there are."
  }
}

variable "resources" {
  description = "The charm's resources: the revision of tidemark-package in the store. Without one `package_source` of config counts."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.resources), ["tidemark-package"])) == 0
    error_message = "There is no such resource: tidemark-package is the only one."
  }
}
