"""The fixtures ``vk`` and ``vk_simulator``, on each backend and in virtual time."""

pytest_plugins = ["vkanyio.testing.pytest_plugin"]
