"""Generate the typed part of vkanyio from VK's own JSON schema.

``python -m codegen --schema PATH`` reads the schema into a model (`_schema`, `_types`,
`_model`, `_read`) and turns the model into source (`_objects`, `_methods`, `_errors`,
`_facts`, `_declared`). Corrections to the schema are in `reviewed`, each with its
reason.
"""
