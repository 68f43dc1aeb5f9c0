// Everything that the page holds: its services and its stores. Made once by main.tsx; actions and components take it as an argument.
import { createJSONStorage, persist, type StateStorage } from 'zustand/middleware';
import { createStore, type StoreApi } from 'zustand/vanilla';
import { createGate, type Gate } from '../base/gate';
import type { Router } from '../router/router';
import type { GalleryImage } from '../storage/gallery';
import type { KeyStorage } from '../storage/openrouter-key';
import type { KindUsage, StorageEstimate } from '../storage/usage';
import { defaultChatSettings, type Chat, type ChatSettings, type LiveAnswer } from './chat-state';
import { emptyForm, type DrawForm, type Drawing, type PaintedPicture } from './drawing-state';
import type { CodecClient, EngineClient } from './engine-client';
import type { LibraryClient } from './library-client';
import type { Library } from './library-state';
import type { Endpoint } from './endpoint-state';
import { defaultChoices, type EngineState } from './engine-state';
import type { Failure } from './failure';
import { createFrames, type Frames } from './frames';
import { noModels, type FreeModels } from './free-models-state';
import { Keyring } from './keyring';
import { createLossSeries, type LossSeries } from './loss-series';
import { noKey, type OpenRouterKey } from './key-state';
import type { Subject } from './subjects-state';
import type { Training, TrainingProgress } from './training-state';
import type { WeightsComparison } from './weights-comparison-state';
import { emptyRun, workspaceOf, type Workspace } from './workspace-state';

/** What the actions need of the world. */
export type Services = {
  /** Starts an engine worker. */
  readonly connectEngine: () => EngineClient;
  readonly codec: CodecClient;
  readonly library: LibraryClient;
  /** Runs a task with the screen kept on, where the browser can. */
  readonly keepAwake: <T>(task: () => Promise<T>) => Promise<T>;
  /** Names of the Web Locks that any tab of this page holds. */
  readonly heldLocks: () => Promise<readonly string[]>;
  /** A file by its address, relative to the page. Throws AppError('file-missing' | 'download-failed', { file }). */
  readonly readUrl: (url: string) => Promise<Blob>;
  /** Where small things of the page are kept that may be lost: localStorage. */
  readonly smallStorage: StateStorage;
  readonly keyStorage: KeyStorage;
  /** To OpenRouter: everything else of the page is read by its own service. */
  readonly fetch: typeof globalThis.fetch;
  /** This page's address. */
  readonly pageUrl: () => string;
  /** Opens an address in a new tab that cannot reach this one. */
  readonly openTab: (url: string) => void;
  /** A picture again as JPEG on white, at most `longestSide` pixels wide and high. Throws AppError('bad-image'). */
  readonly toJpeg: (picture: Blob, longestSide: number) => Promise<Blob>;
  /** A picture's RGBA levels. Throws AppError('bad-image'). */
  readonly levelsOf: (picture: Blob) => Promise<Uint8ClampedArray>;
  readonly randomBytes: (count: number) => Uint8Array;
  /** navigator.serviceWorker; undefined where the browser has none. */
  readonly serviceWorkers: ServiceWorkerContainer | undefined;
  readonly now: () => number;
  readonly newId: () => string;
  readonly newSeed: () => number; // whole, below 2^32
};

type StoredThings = {
  readonly kinds: readonly KindUsage[] | undefined; // undefined until measured
  readonly browser: StorageEstimate | undefined;
};

export type App = {
  readonly services: Services;
  readonly engine: StoreApi<EngineState>;
  readonly workspace: StoreApi<Workspace>;
  readonly training: StoreApi<Training>;
  readonly progress: StoreApi<TrainingProgress | undefined>;
  readonly library: StoreApi<Library>;
  readonly subjects: StoreApi<readonly Subject[]>;
  readonly form: StoreApi<DrawForm>;
  readonly start: StoreApi<{ readonly painted: PaintedPicture | undefined }>;
  readonly drawing: StoreApi<Drawing>;
  readonly comparison: StoreApi<WeightsComparison>;
  readonly gallery: StoreApi<readonly GalleryImage[]>;
  readonly chat: StoreApi<Chat>;
  readonly chatSettings: StoreApi<ChatSettings>;
  readonly live: StoreApi<LiveAnswer | undefined>; // undefined while no answer is being made
  readonly free: StoreApi<FreeModels>;
  readonly stored: StoreApi<StoredThings>;
  readonly key: StoreApi<OpenRouterKey>;
  readonly keyring: Keyring;
  readonly router: StoreApi<Router | undefined>; // undefined until it is loaded
  readonly endpoint: StoreApi<Endpoint>;
  /** The last failure of something small (a rename, an export, a removal), shown until it is dismissed. */
  readonly notice: StoreApi<Failure | undefined>;
  /** Writes of the workspace, one after the other; and photos being read. */
  readonly saving: Gate;
  readonly reading: Gate;
  readonly losses: LossSeries;
  readonly frames: Frames;
};

const storeOf = <T>(state: T): StoreApi<T> => createStore<T>(() => state);

const kept = <T>({ smallStorage }: Services, name: string) => ({
  name,
  version: 1,
  storage: createJSONStorage<T>(() => smallStorage),
});

/** The page's state before anything was read or opened. */
export function createApp(services: Services): App {
  return {
    services,
    engine: storeOf<EngineState>({ phase: 'opening', ...defaultChoices }),
    workspace: storeOf(workspaceOf(emptyRun(services.newId(), services.now()), { isOpened: false })),
    training: storeOf<Training>({ phase: 'idle' }),
    progress: storeOf<TrainingProgress | undefined>(undefined),
    library: storeOf<Library>({ stored: [], tasks: {}, token: '', isTokenKept: false }),
    subjects: storeOf<readonly Subject[]>([]),
    start: createStore(() => ({ painted: undefined })),
    form: createStore<DrawForm>()(persist(() => emptyForm, kept<DrawForm>(services, 'likeness-form'))),
    drawing: storeOf<Drawing>({ phase: 'idle' }),
    comparison: storeOf<WeightsComparison>({ phase: 'idle' }),
    gallery: storeOf<readonly GalleryImage[]>([]),
    chat: storeOf<Chat>({ messages: [], subjectId: undefined }),
    chatSettings: createStore<ChatSettings>()(
      persist(() => defaultChatSettings, kept<ChatSettings>(services, 'likeness-chat')),
    ),
    live: storeOf<LiveAnswer | undefined>(undefined),
    free: storeOf(noModels),
    stored: storeOf<StoredThings>({ kinds: undefined, browser: undefined }),
    key: storeOf(noKey),
    keyring: new Keyring(),
    router: storeOf<Router | undefined>(undefined),
    endpoint: storeOf<Endpoint>({ phase: 'opening' }),
    notice: storeOf<Failure | undefined>(undefined),
    saving: createGate(),
    reading: createGate(),
    losses: createLossSeries(),
    frames: createFrames(),
  };
}
