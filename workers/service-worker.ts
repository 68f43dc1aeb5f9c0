// Relays same-origin <base>/v1 to the page that a request's bearer names; every other fetch goes its usual way.
import { startRelay } from '../src/router/relay/service-worker';

declare const self: ServiceWorkerGlobalScope;

startRelay(self);
