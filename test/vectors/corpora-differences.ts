/** Where llhttp and we differ, by type and title of its corpus, and why ours is right. */
export const llhttpDifferences: Readonly<Record<string, string>> = {
  'request: ANNOUNCE request with RTSP': 'we speak HTTP only',
  'request: OPTIONS request with RTSP': 'we speak HTTP only',
  'request: SOURCE request with ICE': 'we speak HTTP only',
  'request: Firefox GET':
    '`0.0.0.0=5000` is no host name and port: sub-delims in hosts are refused',
  'request: curl GET': '`0.0.0.0=5000` is no host name and port: sub-delims in hosts are refused',
  'request: CRLF between requests, explicit `close`':
    'bytes behind the last request are dropped with the link; here they are notes of the corpus',
  'request: Fragment in URI': 'a request target has no fragment (RFC 9112 §3.2)',
  'request: POST with `chunked` as last transfer-encoding (multiple headers)':
    'fragment; and a coding besides chunked',
  'request: POST with `chunked` as last transfer-encoding':
    'fragment; and a coding besides chunked',
  'request: M-SEARCH request': 'asterisk-form is for OPTIONS only (RFC 9112 §3.2.4)',
  'request: No HTTP version': 'HTTP/0.9 is not spoken',
  'request: Quotes in URI': 'a quotation mark is no URI character (RFC 3986)',
  'request: `host:port` and basic auth': 'userinfo in an http target is an error (RFC 9110 §4.2.4)',
  'response: Google 301':
    'the corpus has the next section of its source in the input; the text behind the body is no response',
  'response: HTTP 100 first, then 400':
    'an empty line before a status line is not allowed (RFC 9112 §2.2 allows it for requests)',
  'response: HTTP 304 with Content-Length': 'an empty line before a status line is not allowed',
  'response: Response starting with CRLF': 'an empty line before a status line is not allowed',
  'response: Should parse multiple events': 'an empty line before a status line is not allowed',
  'response: HTTP version 0.9': 'only HTTP/1.x is spoken',
  'response: ICE response': 'we speak HTTP only',
  'response: RTSP response': 'we speak HTTP only',
  'response: `chunked` before other transfer-encoding':
    'the coding would have to be passed on or undone: refused',
  'response: `chunkedchunked` transfer-encoding does not enable chunked enconding':
    'an unknown coding is refused',
  'response: multiple transfer-encoding where chunked is not the last one':
    'one coding, chunked, is understood',
  'request: Error on `Content-Length` overflow':
    'the head is not whole: what fields mean is judged when it is',
  'request: Error on duplicate `Content-Length`':
    'the head is not whole: what fields mean is judged when it is',
  'request: HTTP protocol and ANNOUNCE method': 'any token is a method (RFC 9110 §9.1)',
  'request: Invalid method': 'any token is a method (RFC 9110 §9.1)',
  'request: Invalid HTTP version': 'the line is not whole: 505 is answered when it is',
  'request: No restart when keep-alive is off (1.0)':
    'bytes behind the last request are dropped with the link, not parsed',
  'response: HTTP/1.1 with keep-alive disabled and 204 status':
    'bytes behind the last answer are dropped with the link, not parsed',
};

/** Where the tiers of http-desync-guardian and we differ, by file and name, and why. */
export const desyncDifferences: Readonly<Record<string, string>> = {
  'ambiguous.yaml: Get with a body and Content-Length':
    're-framed by one length of our own, so that both sides see one body (RFC 9110 §9.3.1 leaves it undefined, not invalid)',
  'ambiguous.yaml: Get with a body and Transfer-Encoding':
    're-framed by one length of our own, so that both sides see one body (RFC 9110 §9.3.1 leaves it undefined, not invalid)',
  'ambiguous.yaml: Head with a body and Content-Length':
    're-framed by one length of our own, so that both sides see one body (RFC 9110 §9.3.1 leaves it undefined, not invalid)',
  'ambiguous.yaml: Head with a body and Transfer-Encoding':
    're-framed by one length of our own, so that both sides see one body (RFC 9110 §9.3.1 leaves it undefined, not invalid)',
  'real-life-test-cases.yaml: Has a CL in GET':
    're-framed by one length of our own, so that both sides see one body (RFC 9110 §9.3.1 leaves it undefined, not invalid)',
  'real-life-test-cases.yaml: Has a TE in GET':
    're-framed by one length of our own, so that both sides see one body (RFC 9110 §9.3.1 leaves it undefined, not invalid)',
  'ambiguous.yaml: Transfer-Encoding with multiple hyphens':
    'another token: no server that we know of folds runs of dashes',
  'ambiguous.yaml: Transfer-Encoding with multiple delimiters':
    'another token: no server that we know of folds runs of underscores',
  'more-compliant-tests.yaml: Correct TE OK':
    '501: no coding but chunked is understood (RFC 9112 §6.1); the corpus lets it pass to who does',
  'more-compliant-tests.yaml: Transfer-Encoding: identity and chunked OK':
    '501: no coding but chunked is understood (RFC 9112 §6.1); the corpus lets it pass to who does',
  'more-compliant-tests.yaml: Multiple transfer encoding headers in a single request OK':
    '501: no coding but chunked is understood (RFC 9112 §6.1); the corpus lets it pass to who does',
  'more-compliant-tests.yaml: TE with custom parameters OK':
    '501: no coding but chunked is understood (RFC 9112 §6.1); the corpus lets it pass to who does',
  'rfc-compliant.yaml: Different Transfer-Encoding headers':
    '501: no coding but chunked is understood (RFC 9112 §6.1); the corpus lets it pass to who does',
  'rfc-compliant.yaml: Different Transfer-Encoding headers combined':
    '501: no coding but chunked is understood (RFC 9112 §6.1); the corpus lets it pass to who does',
  'rfc-compliant.yaml: Transfer-Encoding with a param: chunked;custom_param':
    '501: no coding but chunked is understood (RFC 9112 §6.1); the corpus lets it pass to who does',
  'rfc-compliant.yaml: Compliant URL':
    'quotation marks, angle brackets and a fragment are not valid in a target',
  'rfc-compliant.yaml: International in URI':
    'octets above 0x7f are not valid in a target (RFC 3986)',
  'rfc-compliant.yaml: Empty URI': 'a request line without a target is not valid',
};
