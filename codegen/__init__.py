"""Generate the typed part of vkanyio from VK's own JSON schema.

``python -m codegen.refresh`` condenses VK's files to the facts in `schema/`.
``python -m codegen`` reads them into a model (`_schema`, `_types`, `_model`, `_read`)
and turns it into source (`_objects`, `_methods`, `_errors`, `_facts`, `_declared`).
Corrections are in `reviewed` and `reviewed_objects`, each with its reason.
"""
