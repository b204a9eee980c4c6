import type { ExpositionFormat } from './exposition.ts';

/**
 * The format that a scraper likes best, by its `Accept` field (RFC 9110 §12.5.1): OpenMetrics where it
 * is named and not liked less than plain text, else Prometheus text.
 */
export function expositionFormat(accept: string | null): ExpositionFormat {
  let open = 0;
  let plain = 0;
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const quality = qualityOf(parameters);
    if (type === 'text/plain') plain = Math.max(plain, quality);
    else if (type === 'application/openmetrics-text' && isKnown(parameters)) {
      open = Math.max(open, quality);
    }
  }
  return open > 0 && open >= plain ? 'openmetrics' : 'prometheus';
}

function isKnown(parameters: readonly string[]): boolean {
  const version = parameters.find((parameter) => parameter.startsWith('version='));
  return version === undefined || version === 'version=1.0.0' || version === 'version="1.0.0"';
}

function qualityOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = given === undefined ? 1 : Number(given.slice(2));
  return quality >= 0 && quality <= 1 ? quality : 0;
}
