"""Bulk reading: many calls without a task for each, and whole lists.

It is not part of the engine, and uses it through :class:`~vkanyio._caller.Caller` only.
``import vkanyio`` loads none of it.
"""
