const htmlEscapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** How facts that a client may have chosen are put into a body of this type. */
export function escapeFor(contentType: string): (fact: string) => string {
  const type = contentType.split(';')[0]!.trim().toLowerCase();
  if (/^(text\/html|.*[/+]xml)$/.test(type)) {
    return (fact) => fact.replace(/[&<>"']/g, (letter) => htmlEscapes[letter]!);
  }
  if (/[/+]json$/.test(type)) return (fact) => JSON.stringify(fact).slice(1, -1);
  return (fact) => fact;
}
