"""Prints the messages of a Maildir, as Python's own reader sees them, as JSON."""

import base64
import json
import mailbox
import sys

box = mailbox.Maildir(sys.argv[1], create=False)
messages = []
for key in sorted(box.keys()):
    message = box.get_message(key)
    messages.append({
        "key": key,
        "folder": message.get_subdir(),
        "flags": message.get_flags(),
        "bytes": base64.b64encode(box.get_bytes(key)).decode("ascii"),
    })
json.dump(messages, sys.stdout)
