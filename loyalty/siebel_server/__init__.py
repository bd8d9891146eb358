"""A Siebel to develop and test against: the embedded business services over Siebel's REST, failing as it is told.

docs/siebel.md has the wire and the faults. http.py serves, faults.py knows what goes wrong next.
"""
