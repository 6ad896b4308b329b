"""Sends standard input by Python's smtplib: smtplib_send.py HOST PORT FROM TO..."""

import smtplib
import sys

host, port, sender, *recipients = sys.argv[1:]
text = sys.stdin.buffer.read()
with smtplib.SMTP(host, int(port), local_hostname="client.example", timeout=20) as server:
    server.ehlo()
    eight_bit = not text.isascii()
    assert server.has_extn("8bitmime"), server.esmtp_features
    options = ["BODY=8BITMIME"] if eight_bit else []
    refused = server.sendmail(sender, recipients, text, mail_options=options)
    assert refused == {}, refused
