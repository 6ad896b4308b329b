"""Prints the report on standard input as Python's own parser sees it, as JSON: by both policies."""

import base64
import email.policy
import json
import re
import sys


def fields(message):
    return [[name, re.sub(r"[\r\n]+", "", str(value))] for name, value in message.items()]


def defects(message):
    found = [defect for part in message.walk() for defect in part.defects]
    for value in message.values():
        found += getattr(value, "defects", [])
    return [repr(defect) for defect in found]


def addresses(value):
    # email.utils.getaddresses does not know address literals everywhere.
    header = email.policy.default.header_factory("To", str(value))
    return [address.addr_spec for address in header.addresses]


def part(message):
    seen = {
        "type": message.get_content_type(),
        "encoding": message["Content-Transfer-Encoding"],
    }
    if message.is_multipart():
        seen["groups"] = [fields(group) for group in message.get_payload()]
    else:
        seen["bytes"] = base64.b64encode(message.get_payload(decode=True)).decode("ascii")
    return seen


def report(data, policy):
    message = email.message_from_bytes(data, policy=policy)
    return {
        "defects": defects(message),
        "fields": fields(message),
        "type": message.get_content_type(),
        "reportType": message.get_param("report-type"),
        "to": addresses(message["To"]),
        "parts": [part(each) for each in message.get_payload()],
    }


data = sys.stdin.buffer.read()
json.dump([report(data, policy) for policy in (email.policy.default, email.policy.compat32)], sys.stdout)
