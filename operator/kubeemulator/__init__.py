"""An embedded Kubernetes API for the demo and the tests: for development, never for production.

It serves CustomResourceDefinitions, a few built-in kinds as plain storage, watches, server-side apply, tables,
discovery, OpenAPI, tokens and RBAC, well enough for the unmodified kubectl and kopf. It runs no pods and no
controllers besides owner-reference clean-up and namespace emptying; it has no admission webhooks and no aggregation.
"""
