/** A GET of `target` with extra field lines (each with its CRLF). */
export function get(fields = '', target = '/v'): string {
  return `GET ${target} HTTP/1.1\r\nHost: lb.test\r\n${fields}\r\n`;
}

/** A POST to `/v` with extra field lines and whatever follows the head. */
export function post(fields: string, body = ''): string {
  return `POST /v HTTP/1.1\r\nHost: lb.test\r\n${fields}\r\n${body}`;
}

/** A chunked POST whose body bytes are `body` as they are. */
export function chunked(body: string, fields = ''): string {
  return post(`Transfer-Encoding: chunked\r\n${fields}`, body);
}

/** A request that must never reach the origin when it stands inside another one. */
export const SMUGGLED = 'GET /admin/smuggled HTTP/1.1\r\nHost: lb.test\r\n\r\n';
