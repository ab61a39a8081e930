"""Bulk reading: many calls without a task for each, and whole lists.

It stands beside the engine, and reaches it by :class:`~vkanyio._caller.Caller` alone.
``import vkanyio`` loads none of it.
"""
