"""Tries each version of TLS at a server by Python's ssl: tls_versions.py starttls|implicit PORT AUTHORITY

One line for each: the version with its cipher, or that it was refused.
"""

import smtplib
import ssl
import sys
import warnings

how, port, authority = sys.argv[1:]
# The old versions are deprecated here, too.
warnings.simplefilter("ignore", DeprecationWarning)
for version in ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
    context = ssl.create_default_context(cafile=authority)
    # Otherwise this side would refuse them by itself.
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = version
    context.maximum_version = version
    try:
        if how == "implicit":
            server = smtplib.SMTP_SSL("localhost", int(port), context=context, timeout=20)
        else:
            server = smtplib.SMTP("localhost", int(port), timeout=20)
            server.starttls(context=context)
        with server:
            code, _ = server.noop()
            assert code == 250, code
            print(version.name, *server.sock.cipher()[:2])
    except (ssl.SSLError, ConnectionError):
        # Whether it is an alert, an end or a reset hangs on who is faster.
        print(version.name, "refused")
