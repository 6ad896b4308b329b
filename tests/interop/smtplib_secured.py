"""Sends standard input by Python's smtplib under TLS, and shows the conversation.

smtplib_secured.py starttls|implicit PORT AUTHORITY NAME PASSWORD FROM TO...
Nobody logs in where NAME is empty.
"""

import smtplib
import ssl
import sys

how, port, authority, name, password, sender, *recipients = sys.argv[1:]
text = sys.stdin.buffer.read()
context = ssl.create_default_context(cafile=authority)
options = {"local_hostname": "client.example", "timeout": 20}
if how == "implicit":
    server = smtplib.SMTP_SSL("localhost", int(port), context=context, **options)
    server.set_debuglevel(1)
else:
    server = smtplib.SMTP("localhost", int(port), **options)
    server.set_debuglevel(1)
    server.starttls(context=context)
with server:
    server.ehlo()
    print("under", *server.sock.cipher()[:2], "as", *server.esmtp_features.get("auth", "").split())
    if name:
        server.login(name, password)
    refused = server.sendmail(sender, recipients, text, mail_options=["BODY=8BITMIME"])
    if refused:
        sys.exit(f"refused: {refused}")
