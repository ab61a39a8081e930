"""Load the fixtures ``vk`` and ``vk_simulator``: each backend, virtual time."""

pytest_plugins = ["vkanyio.testing.pytest_plugin"]
