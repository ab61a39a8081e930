"""vkanyio beside other clients of VK: the same work, on the same server, in one run."""
