"""A Siebel server over HTTP: the transport `rest` of loyalty.siebel (transport.py) and its parts.

wire.py knows how Siebel writes, http.py how it is reached, login.py as whom, breaker.py when it is left alone,
outcomes.py what became of the writes, stale.py what reads may answer meanwhile.
"""
