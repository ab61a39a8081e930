"""The engine of a client: its tasks, its rate limit, its connections.

Only ``_client`` opens it. Imports go down this list, also those for type checkers::

    _session             what a client has while it is open
    _view                an open client as the calls of one token see it
    _lanes               the lanes of all tokens, and their settings
    _lane                the calls of one token
    _live_calls          the calls without an outcome
    _batch_task          several calls in one `execute`
    _call_task           one call, with all its attempts
    _questions           VK's questions to a person, one at a time
    _captcha_session     the answers to one captcha
    _collector           which calls go into the next request
    _gate                which calls may go while a captcha is open
    _packer              which calls may share an `execute`
    _sender              one attempt: sent with a permit, and its response read
    _ticker              the task that grants permits
    _credentials         the token of a lane, and its renewal
    _handling            the user's async functions, and the calls that they make
    _misuse              what errors say about use at the wrong time
    _other_servers       requests to other servers than VK's API
    _transport           HTTP: connections, deadlines, and what failures mean
    _pool                which connection a request gets
    _connection          one HTTP connection
    _network             its socket, and what has left
    _foreign_client      a request by the user's HTTP client
    _delivery            what is known about one attempt in flight
    _request_body        a body that comes in chunks
    _response_body       reading and decompressing up to a size limit
    _observer            `on_event` and the log
"""
