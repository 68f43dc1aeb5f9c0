// Where programs of this page reach the router, as Settings shows it.
import type { Failure } from './failure';

export type Endpoint =
  | { readonly phase: 'opening' }
  | { readonly phase: 'open'; readonly baseUrl: string; readonly token: string }
  | { readonly phase: 'failed'; readonly failure: Failure };
