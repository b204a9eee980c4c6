import { type CidrSet, ipKey } from '../base/address.ts';
import { RequestForwarding } from '../wire/http1/write-request.ts';

/** Peers remembered; more distinct clients than this start the memory anew. */
const PEERS_MAX = 4_096;

/** What is the same for every link of one client address. */
export interface Peer {
  readonly address: string;
  /** Key of the address for policies that need one. */
  readonly addressHash: number;
  readonly isTrusted: boolean;
  readonly forwarding: RequestForwarding;
}

/** Remembers peers by address, so that a link costs no strings and no field texts of its own. */
export class Peers {
  readonly #byAddress = new Map<string, Peer>();
  readonly #trusted: CidrSet;
  readonly #viaName: string;

  constructor(trusted: CidrSet, viaName: string) {
    this.#trusted = trusted;
    this.#viaName = viaName;
  }

  /** `address`: numeric, empty for Unix sockets. Cost: one map read for a known one. */
  of(address: string): Peer {
    const known = this.#byAddress.get(address);
    if (known !== undefined) return known;
    if (this.#byAddress.size >= PEERS_MAX) this.#byAddress.clear();
    const isTrusted = address !== '' && this.#trusted.contains(address);
    const peer: Peer = {
      address,
      addressHash: address === '' ? 0 : ipKey(address),
      isTrusted,
      forwarding: new RequestForwarding({
        clientAddress: address,
        isTrustedPeer: isTrusted,
        scheme: 'http',
        viaName: this.#viaName,
      }),
    };
    this.#byAddress.set(address, peer);
    return peer;
  }
}
