"""Calling addresses that users gave, safely, and signing what is sent there."""
