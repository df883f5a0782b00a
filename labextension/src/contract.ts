/*
 * Generated from the Python package jupyter_localcoder.contract. Do not edit.
 * To generate it again: python -m jupyter_localcoder.contract.typescript labextension/src/contract.ts
 */

export type Acceleration = 'auto' | 'gpu' | 'cpu';

export type Activity = '' | 'download' | 'verify' | 'import' | 'export';

export type CallFinish = 'stop' | 'length' | 'filter' | 'timeout';

export type CancelReason = 'user' | 'input' | 'timeout';

export type CellKind = 'code' | 'markdown' | 'raw';

export type CellStatus = 'none' | 'ok' | 'error';

export type Command = 'explain' | 'improve' | 'fix' | 'document' | 'test' | 'generate' | 'prompt';

export type Doubt = '' | 'confidence' | 'syntax' | 'columns' | 'repetition' | 'hidden';

export type EndCode = '' | 'CANCELED' | 'TIMEOUT';

export type Finish = 'stop' | 'length' | 'filter' | 'timeout' | 'canceled';

export type Fit = 'fits' | 'tight' | 'does-not-fit' | 'unknown';

export type Layer = 'default' | 'config' | 'settings' | 'environment' | 'command-line';

export type ModelAction =
  | 'download'
  | 'resume'
  | 'retry'
  | 'update'
  | 'pause'
  | 'stop'
  | 'discard'
  | 'load'
  | 'unload'
  | 'use-code'
  | 'use-general'
  | 'verify'
  | 'export'
  | 'pin'
  | 'unpin'
  | 'delete';

export type ModelState = 'idle' | 'downloading' | 'verifying' | 'ready' | 'error';

export type Priority = 'high' | 'normal' | 'low';

export type ReferenceKind =
  | 'cell'
  | 'selection'
  | 'output'
  | 'error'
  | 'file'
  | 'variable'
  | 'text';

export type RequestState = 'waiting' | 'running' | 'saving' | 'done' | 'failed' | 'canceled';

export type ResponseFinish = 'stop' | 'length' | 'filter' | 'timeout' | 'canceled';

export type ResponseKind = 'generate' | 'chat' | 'queue';

export type Role = 'code' | 'general';

export type RunMode = 'performance' | 'stability';

export type Severity = 'info' | 'warning' | 'error';

export type TitleSource = 'model' | 'generated' | 'hand';

export type WorkerState =
  | 'stopped'
  | 'starting'
  | 'loading'
  | 'ready'
  | 'busy'
  | 'unloading'
  | 'backoff'
  | 'failed';

/**
 * Event `backend:state`: a move of a worker's state machine, or a worker stops or begins to
 * respond.
 *
 * It names the worker that moved; where that one has gone and another is there, the other one.
 */
export interface BackendState {
  state: WorkerState;
  generation: number;
  reason: string;
  model: string | null;
  profile: string;
  resident: ResidentModel[];
  residency: string;
}

/** What the backend is doing, in one look. */
export interface BackendStatus {
  version: string;
  state: WorkerState;
  generation: number;
  reason: string;
  model: string | null;
  profile: string;
  uptime_seconds: number;
  queue_length: number;
  speeds: Speeds;
  memory: Memory;
  air_gap: boolean;
  acceleration: string;
  context_window: number;
  calibration: Calibration | null;
  resident: ResidentModel[];
  residency: string;
  engine_error: ErrorPayload | null;
  policy: PolicyState | null;
}

/** Speeds that were measured when the model was loaded, and what completion is sized to by them. */
export interface Calibration {
  prefill_tokens_per_second: number;
  decode_tokens_per_second: number;
  latency_target_ms: number;
  prefix_tokens: number;
  suffix_tokens: number;
  completion_tokens: number;
}

/** Queue a prompt. */
export interface CallRequest {
  prompt: string;
  parameters?: Record<string, string> | null;
  provider?: string;
  model?: string;
  sampling?: SamplingOptions;
  max_tokens?: number | null;
  stop?: string[];
  timeout_ms?: number | null;
  priority?: Priority;
  keep?: boolean;
  prompt_id?: string;
  path?: string;
  cell?: string;
  private?: boolean;
}

/** Number of cancelled requests. */
export interface CanceledCount {
  count: number;
}

/** The code of an answer, prepared for insertion. */
export interface Change {
  code: string;
  notes: string[];
  problem: string;
  recovery: string;
}

/**
 * The next turn of a conversation.
 *
 * Without `conversation`, nothing is stored: `messages` contains all turns so far and ends with a
 * user
 * message. With `conversation`, the service knows the earlier turns: `messages` contains only the
 * new
 * user message, optionally preceded by an instruction (role `system`). The id of the turn is the
 * run id.
 */
export interface ChatRequest {
  provider?: string;
  model?: string | null;
  profile?: string | null;
  max_tokens?: number | null;
  stop?: string[];
  timeout_ms?: number | null;
  sampling?: SamplingOptions;
  origin?: Origin;
  private?: boolean;
  rules?: boolean;
  messages?: Message[];
  references?: Reference[];
  variables?: KernelVariable[];
  /** Id of a conversation, or `new` to start one. */
  conversation?: string | null;
  /**
   * Id of the turn that this turn follows. An earlier turn creates a branch; empty starts the
   * conversation again. Default: the last turn.
   */
  parent?: string | null;
  /** 16 hexadecimal digits. */
  regenerate?: string | null;
}

/** A column of a data frame. */
export interface Column {
  name: string;
  dtype: string;
}

/** Cancel a completion. */
export interface CompleteCancelRequest {
  run: string;
  reason?: CancelReason;
}

/** Complete the text between `prefix` and `suffix` (fill-in-the-middle). */
export interface CompleteRequest {
  prefix: string;
  suffix?: string;
  notebook?: NotebookContext | null;
  language?: string;
  multiline?: boolean;
  automatic?: boolean;
  ahead?: boolean;
  max_tokens?: number | null;
  /** 0 is greedy. */
  temperature?: number | null;
  timeout_ms?: number | null;
  stop?: string[];
  provider?: string;
  model?: string | null;
  seed?: number | null;
  scope?: string;
}

/** Confidence of the model in a completion. */
export interface Confidence {
  log_probability: number;
  first_token_margin: number;
}

/** One conversation, whole: each turn is a prompt and its answer. */
export interface Conversation {
  info: ConversationInfo;
  turns: Response[];
  alternatives: Record<string, string[]>;
}

/** Begin another conversation that shares the turns up to one of them. */
export interface ConversationBranchRequest {
  /** 16 hexadecimal digits. */
  id: string;
  /** 16 hexadecimal digits. */
  response_id: string;
}

/** Asks for a conversation with its turns. */
export interface ConversationGetRequest {
  /** 16 hexadecimal digits. */
  id: string;
  /** 16 hexadecimal digits. */
  turn?: string | null;
}

/** One conversation, without its turns. */
export interface ConversationInfo {
  id: string;
  title: string;
  turns: number;
  notebook: string;
  created_at: string;
  updated_at: string;
  branched_from: string;
}

/** A page of conversations. */
export interface ConversationList {
  conversations: ConversationInfo[];
  total: number;
  offset: number;
}

/** Ask for a page of conversations, the one that was last spoken in first. */
export interface ConversationListRequest {
  notebook?: string | null;
  kernel?: string;
  limit?: number;
  offset?: number;
}

/** Set the title of a conversation. */
export interface ConversationRenameRequest {
  /** 16 hexadecimal digits. */
  id: string;
  title: string;
}

/** Names one conversation. */
export interface ConversationRequest {
  /** 16 hexadecimal digits. */
  id: string;
}

/** How many were deleted. */
export interface DeletedCount {
  count: number;
}

/** Answer of `model:delete`. */
export interface DeletedModel {
  id: string;
  freed_bytes: number;
}

/** The next piece of the answer or of its reasoning. */
export interface Delta {
  type: 'delta';
  run: string;
  text: string;
  reasoning: string;
  attempt: number;
}

/** The last frame of a request that finished, or was stopped with a partial answer. */
export interface Done {
  type: 'done';
  run: string;
  text: string;
  reasoning: string;
  finish: Finish;
  code: EndCode;
  usage: Usage;
  timings: Timings;
  model: ModelStamp;
  sampling: Sampling | null;
  prompt_sha256: string;
  text_sha256: string;
  provider: string;
  cost_usd: number | null;
  confidence: Confidence | null;
  parts: PromptPart[];
  withheld: Doubt;
  doubt: Doubt;
  conversation: string;
  parent: string;
  left_out_turns: number;
  change: Change | null;
  note: string;
}

/** A response without content. */
export type Empty = Record<string, never>;

/** The format of every error response. */
export interface ErrorPayload {
  code: string;
  message: string;
  recovery: string;
  details: Record<string, string | number | boolean | string[] | null>;
}

/** A piece of the text in which something was found. */
export interface Excerpt {
  text: string;
  match: boolean;
}

/** The last frame of a request that failed. */
export interface Failed {
  type: 'error';
  run: string;
  error: ErrorPayload;
}

/** An answer in which the words occur. */
export interface Found {
  response: ResponseInfo;
  excerpt: Excerpt[];
}

/** Run a command on a piece of code. */
export interface GenerateRequest {
  provider?: string;
  model?: string | null;
  profile?: string | null;
  max_tokens?: number | null;
  stop?: string[];
  timeout_ms?: number | null;
  sampling?: SamplingOptions;
  origin?: Origin;
  private?: boolean;
  rules?: boolean;
  command: Command;
  code?: string;
  instruction?: string;
  error?: string;
  language?: string;
  context?: NotebookCell[];
  below?: NotebookCell[];
  variables?: KernelVariable[];
  cell_magic?: string;
}

/** Event `history:changed`: what is listed is not what it was. */
export interface HistoryChanged {
  reason: 'deleted' | 'kept' | 'swept' | 'titled';
  response_id: string;
  conversation_id: string;
}

/** Request the prompt of a recent request. */
export interface InspectRequest {
  run?: string;
}

/** Prompt and timings of a request. Kept in memory only, never on disk. */
export interface Inspection {
  run: string;
  kind: string;
  time: string;
  scope: string;
  prompt: string;
  redacted: string;
  parts: PromptPart[];
  finish: Finish;
  withheld: Doubt;
  usage: Usage;
  timings: Timings;
  model: ModelStamp;
  sampling: Sampling | null;
  prompt_sha256: string;
  provider: string;
  confidence: Confidence | null;
}

/** A name that the user has defined in the kernel; never its value. */
export interface KernelVariable {
  name: string;
  type?: string;
  signature?: string;
  shape?: number[];
  columns?: Column[];
}

/** Where a key would be kept that is entered now. */
export interface KeyStorage {
  place: 'file' | 'keyring' | 'session';
  note: string;
}

/** A licence, whole: it is shown before the first byte of a model is fetched. */
export interface License {
  id: string;
  name: string;
  text: string;
  sha256: string;
  attribution: string;
}

/** Cancel all waiting and running requests. */
export type LlmCancelAllRequest = Record<string, never>;

/** Cancel a waiting or running request. */
export interface LlmCancelRequest {
  id: string;
}

/** A model is loaded, but not as the settings ask for it. */
export interface LoadWarning {
  code: 'GPU_NOT_USED';
  message: string;
  action: string;
}

/** Answer of `model:load`. */
export interface LoadedModel {
  id: string;
  digest: string;
  context_window: number;
  acceleration: string;
  load_ms: number;
  fill_in_the_middle: boolean;
  warning: LoadWarning | null;
}

/** Memory in use and free, in bytes; 0 where it cannot be read. */
export interface Memory {
  worker_bytes: number;
  server_bytes: number;
  available_bytes: number;
  total_bytes: number;
  kernels: number;
  kernels_bytes: number;
  given_back_bytes: number;
}

/** What a model needs on this machine, in bytes, against what is free now. */
export interface MemoryFit {
  fit: Fit;
  weights_bytes: number;
  kv_bytes: number;
  compute_bytes: number;
  overhead_bytes: number;
  private_bytes: number;
  needed_bytes: number;
  available_bytes: number;
  context_window: number;
}

/** One turn of a conversation. */
export interface Message {
  role: 'assistant' | 'system' | 'user';
  content: string;
}

/** Stop what is under way with the file of a model. */
export interface ModelCancelDownloadRequest {
  /** Id of a model: letters, digits, dot, dash and underscore. */
  id: string;
  discard?: boolean;
}

/** Remove a model from this machine. */
export interface ModelDeleteRequest {
  /** Id of a model: letters, digits, dot, dash and underscore. */
  id: string;
  force?: boolean;
}

/** Make a model ready: verify it, or fetch it when that is allowed. */
export interface ModelEnsureRequest {
  /** Id of a model: letters, digits, dot, dash and underscore. */
  id: string;
  allow_download?: boolean;
  accept_license?: string;
  update?: boolean;
}

/** Write a portable bundle (GGUF, licence, manifest with digests). */
export interface ModelExportRequest {
  /** Id of a model: letters, digits, dot, dash and underscore. */
  id: string;
  /**
   * Path on the machine of the service. A relative path starts at the root of Jupyter's file
   * browser.
   */
  path: string;
}

/** Answer of `model:export`. */
export interface ModelExported {
  path: string;
  size_bytes: number;
}

/** Take a GGUF file, or a bundle, from this machine's own disk into the store. */
export interface ModelImportRequest {
  /**
   * Path on the machine of the service. A relative path starts at the root of Jupyter's file
   * browser.
   */
  path: string;
  /** Id of a model: letters, digits, dot, dash and underscore. */
  id?: string | null;
  link?: boolean;
}

/** One model: in the catalogue, on this machine, or both. */
export interface ModelInfo {
  id: string;
  name: string;
  size_bytes: number;
  digest: string;
  quantization: string;
  parameters: string;
  license: string;
  license_accepted: boolean;
  context_length: number;
  roles: Role[];
  fill_in_the_middle: boolean | null;
  state: ModelState;
  received_bytes: number;
  origin: 'catalogue' | 'imported';
  revision: string;
  fit: MemoryFit;
  loaded: boolean;
  error: ErrorPayload | null;
  activity: Activity;
  rate_bytes_per_second: number;
  linked: boolean;
  pinned: boolean;
  update: ModelUpdate | null;
  recheck: boolean;
  speed: ModelSpeed | null;
  model_path: string;
  origins: string[];
}

/** Answer of `model:list`. */
export interface ModelList {
  models: ModelInfo[];
  licenses: License[];
  profiles: Profile[];
  active_profile: string;
  profile_reason: string;
  recommended_profile: string;
  recommended_reason: string;
  models_dir: string;
  memory: Memory;
  code_model: string;
  general_model: string;
  imports: ModelStateEvent[];
  engine_error: ErrorPayload | null;
}

/** Asks for all of them. */
export type ModelListRequest = Record<string, never>;

/** Load a model and make it ready to answer. */
export interface ModelLoadRequest {
  /** Id of a model: letters, digits, dot, dash and underscore. */
  id: string;
  profile?: string | null;
  force?: boolean;
}

/** Keep a model at its version, or let it be updated again. */
export interface ModelPinRequest {
  /** Id of a model: letters, digits, dot, dash and underscore. */
  id: string;
  pinned: boolean;
}

/** Names one model. */
export interface ModelRequest {
  /** Id of a model: letters, digits, dot, dash and underscore. */
  id: string;
}

/** How fast a model was on this machine when it was last measured, as it would be loaded now. */
export interface ModelSpeed {
  prefill_tokens_per_second: number;
  decode_tokens_per_second: number;
}

/** The model that generated an answer. */
export interface ModelStamp {
  id: string;
  digest: string;
  quantization: string;
}

/** Event `model:state`: a download, an import, a verification, an export or a removal moved. */
export interface ModelStateEvent {
  id: string;
  state: ModelState;
  received_bytes: number;
  total_bytes: number;
  rate_bytes_per_second: number;
  error: ErrorPayload | null;
  activity: Activity;
  model_path: string;
}

/** Ends the worker of a model, which frees everything it held. */
export interface ModelUnloadRequest {
  /** Id of a model: letters, digits, dot, dash and underscore. */
  id?: string | null;
}

/** Another file that the catalogue offers under the id of a model that is here. */
export interface ModelUpdate {
  digest: string;
  size_bytes: number;
  revision: string;
}

/** A cell, with what is known of its last run. */
export interface NotebookCell {
  id?: string;
  kind?: CellKind;
  source: string;
  execution_count?: number | null;
  status?: CellStatus;
  error?: string;
  hint?: string;
  head?: string;
}

/** The cells around the cell with the cursor, and the kernel context. */
export interface NotebookContext {
  path?: string;
  cells?: NotebookCell[];
  active?: number;
  variables?: KernelVariable[];
}

/** Event `notice`: a sentence that the person should see, with what can be done. */
export interface Notice {
  severity: Severity;
  message: string;
  action: string;
  try_model: string;
  use_profile: string;
  code: string;
}

/** Origin of a request; saved with the answer. */
export interface Origin {
  notebook?: string;
  cell?: string;
  kernel?: string;
}

/** Asks nothing. */
export type PingRequest = Record<string, never>;

/** Code of an existing answer that is to be inserted into a notebook. */
export interface PlaceRequest {
  code: string;
  info?: string;
  cell?: string;
  language?: string;
}

/** The current policy, as `backend:ping` shows it. */
export interface PolicyState {
  mode: 'full' | 'off';
  models: string[] | null;
  history: boolean;
  message: string;
  problem: string;
}

/** How a kernel is asked for its `KernelVariable`s: one silent, unstored `execute_request`. */
export interface Probe {
  code: string;
  expression: string;
}

/** Asks how a kernel is asked what it knows. */
export interface ProbeRequest {
  language?: string;
}

/** A named choice of models and limits. */
export interface Profile {
  name: string;
  description: string;
  model: string;
  general_model: string;
  context_window: number;
  draft_model: string;
}

/** Tokens of a prompt that come from one source. */
export interface PromptPart {
  source: string;
  tokens: number;
  left_out_tokens: number;
}

/** What an answer depends on, as `%localcoder replay` reads it. */
export interface Provenance {
  id: string;
  command: string;
  provider: string;
  model: string;
  digest: string;
  quantization: string;
  sampling: Record<string, number>;
  seed: number | null;
  seeded: boolean;
  prompt_sha256: string;
  text_sha256: string;
  completion_tokens: number | null;
  finish: string;
  time: string;
  versions: Record<string, string> | null;
  machine: string;
  request: GenerateRequest | null;
}

/** Answer of `provider:delete`. */
export interface ProviderDeleted {
  note: string;
}

/** Names a provider. */
export interface ProviderIdRequest {
  /** Id of a provider: lowercase letters, digits and dashes. */
  id: string;
}

/** A provider as it is configured, without its key. */
export interface ProviderInfo {
  /** Id of a provider: lowercase letters, digits and dashes. */
  id: string;
  type: string;
  name: string;
  base_url: string;
  model: string;
  timeout_seconds: number;
  connect_timeout_seconds: number;
  silence_timeout_seconds: number;
  fill: 'infill' | 'off' | 'suffix' | 'tokens';
  fill_template: string;
  api_version: string;
  context_window: number;
  allow_unencrypted_key: boolean;
  active: boolean;
  key: 'environment' | 'file' | 'keyring' | 'none' | 'session';
  key_needed: boolean;
  problem: string;
  completes: boolean;
  remote: boolean;
  in_use: number;
  price: ProviderPrice | null;
  updated_at: string;
  configured: boolean;
}

/** What the providers of one type have in common. */
export interface ProviderKind {
  type: string;
  title: string;
  base_url: string;
  key_needed: boolean;
  key_variables: string[];
  fills: ('infill' | 'off' | 'suffix' | 'tokens')[];
  form_fields: ('api_version' | 'context_window')[];
}

/** All providers, `embedded` first. */
export interface ProviderList {
  providers: ProviderInfo[];
  kinds: ProviderKind[];
  /** Id of a provider: lowercase letters, digits and dashes. */
  active: string;
  key_storage: KeyStorage;
  path: string;
  prices_path: string;
  problem: string;
  locked: boolean;
}

/** Asks for all of them. */
export type ProviderListRequest = Record<string, never>;

/** US dollars for a million tokens, as the user has written it down. */
export interface ProviderPrice {
  input: number;
  cached_input: number | null;
  output: number;
}

/** Add a provider, or replace what is configured of one. */
export interface ProviderSaveRequest {
  type: string;
  name?: string;
  base_url?: string;
  model?: string;
  timeout_seconds?: number;
  connect_timeout_seconds?: number;
  silence_timeout_seconds?: number;
  fill?: 'infill' | 'off' | 'suffix' | 'tokens';
  fill_template?: string;
  api_version?: string;
  context_window?: number;
  allow_unencrypted_key?: boolean;
  /** Id of a provider: lowercase letters, digits and dashes. */
  id: string;
  key?: string | null;
  keep_key?: 'auto' | 'session';
}

/** Keep a key. */
export interface ProviderSetKeyRequest {
  /** Id of a provider: lowercase letters, digits and dashes. */
  id: string;
  key: string;
  keep?: 'auto' | 'session';
}

/** Answer of `provider:test`: address and key are right. */
export interface ProviderTested {
  /** Id of a provider: lowercase letters, digits and dashes. */
  id: string;
  models: string[];
  latency_ms: number;
  model_listed: boolean | null;
}

/** One request, with what there is of its answer. */
export interface QueueAnswer {
  item: QueueItem;
  text: string;
  reasoning: string;
  finish: CallFinish | null;
  usage: TokenCounts;
  cost_usd: number | null;
  milliseconds: number;
  timings: Timings | null;
  response_id: string;
  prompt: string;
}

/** The request that has been running for the longest time. */
export interface QueueCurrent {
  id: string;
  prompt_id: string;
  position: number;
}

/** Ask for one request, and wait for its end. */
export interface QueueGetRequest {
  id: string;
  wait_ms?: number;
  with_prompt?: boolean;
}

/** A request in the queue, or one that has ended. */
export interface QueueItem {
  id: string;
  prompt_id: string;
  provider: string;
  model: string;
  priority: Priority;
  state: RequestState;
  position: number;
  keep: boolean;
  private: boolean;
  path: string;
  cell: string;
  added: string;
  error: ErrorPayload | null;
  prompt_kept: boolean;
}

/** Asks for what waits and runs. */
export type QueueListRequest = Record<string, never>;

/** Event `queue:updated`: what `queue:list` answers is another list. */
export interface QueueUpdated {
  length: number;
  current: QueueCurrent | null;
}

/** What the queue holds. */
export interface QueueView {
  running: QueueItem[];
  waiting: QueueItem[];
  ended: QueueItem[];
  limit: number;
  streams: StreamItem[];
}

/** Answer of `llm:call`. */
export interface Queued {
  id: string;
  position: number;
}

/** Context that the user attaches to a question. */
export interface Reference {
  kind: ReferenceKind;
  name?: string;
  text: string;
  language?: string;
}

/** A model with its worker. */
export interface ResidentModel {
  model: string;
  profile: string;
  state: WorkerState;
  reason: string;
  roles: Role[];
  context_window: number;
  memory_bytes: number;
  warning: LoadWarning | null;
}

/** One answer that was kept, whole. */
export interface Response {
  id: string;
  prompt_id: string;
  kind: ResponseKind;
  command: string;
  conversation_id: string;
  parent_id: string;
  created_at: string;
  title: string;
  title_source: TitleSource;
  preview: string;
  provider: string;
  model: string;
  finish: Finish;
  prompt_tokens: number | null;
  cached_tokens: number | null;
  completion_tokens: number | null;
  cost_usd: number | null;
  milliseconds: number;
  notebook: string;
  cell: string;
  digest: string;
  quantization: string;
  sampling: Record<string, number>;
  prompt_sha256: string;
  prompt: string;
  references: Reference[];
  left_out_turns: number;
  reasoning: string;
  not_offered: string;
  content: string;
  text_sha256: string;
}

/** Event `response:complete`: the one end of a request that was answered. */
export interface ResponseComplete {
  request_id: string;
  kind: ResponseKind;
  response_id: string;
  prompt_id: string;
  provider: string;
  model: string;
  finish: Finish;
  usage: TokenCounts;
  cost_usd: number | null;
  milliseconds: number;
  path: string;
  cell: string;
}

/** Delete the answers to one prompt, or all there are. */
export interface ResponseDeleteAllRequest {
  /** Id of a prompt; answers to the same prompt are grouped. */
  prompt_id?: string | null;
  all?: boolean;
}

/** Event `response:error`: the one end of a request that was not; `CANCELED` where that was asked. */
export interface ResponseError {
  request_id: string;
  kind: ResponseKind;
  prompt_id: string;
  error: ErrorPayload;
}

/** Write one answer, those to one prompt, or all, into a zip file. */
export interface ResponseExportRequest {
  /** 16 hexadecimal digits. */
  id?: string | null;
  /** Id of a prompt; answers to the same prompt are grouped. */
  prompt_id?: string | null;
  path?: string;
}

/** One answer that was kept, without its texts. */
export interface ResponseInfo {
  id: string;
  prompt_id: string;
  kind: ResponseKind;
  command: string;
  conversation_id: string;
  parent_id: string;
  created_at: string;
  title: string;
  title_source: TitleSource;
  preview: string;
  provider: string;
  model: string;
  finish: Finish;
  prompt_tokens: number | null;
  cached_tokens: number | null;
  completion_tokens: number | null;
  cost_usd: number | null;
  milliseconds: number;
  notebook: string;
  cell: string;
}

/** A page; answers whose file is gone are left out of it. */
export interface ResponseList {
  responses: ResponseInfo[];
  total: number;
  offset: number;
}

/** Ask for a page of what was kept, newest first. */
export interface ResponseListRequest {
  /** Id of a prompt; answers to the same prompt are grouped. */
  prompt_id?: string | null;
  limit?: number;
  offset?: number;
}

/** Names one answer. */
export interface ResponseRequest {
  /** 16 hexadecimal digits. */
  id: string;
}

/** Look for words in prompts, answers and titles. */
export interface ResponseSearchRequest {
  query: string;
  limit?: number;
  offset?: number;
}

/** A zip file was made. */
export interface ResponsesExported {
  count: number;
  size_bytes: number;
  path: string;
  content: string;
}

/** A page of them, newest first. */
export interface ResponsesFound {
  found: Found[];
  more: boolean;
  offset: number;
}

/** Queue a prompt again whose request has ended. */
export interface RetryRequest {
  id: string;
  keep?: boolean | null;
}

/** The sampling parameters that were used, including the seed. */
export interface Sampling {
  temperature: number;
  top_k: number;
  top_p: number;
  min_p: number;
  repeat_penalty: number;
  seed: number;
}

/**
 * Sampling of one request; missing values come from the settings.
 *
 * With a `seed`, the prompt is computed without the cache of earlier requests: the same seed then
 * gives
 * the same text on the same machine, regardless of earlier requests.
 */
export interface SamplingOptions {
  /** 0 is greedy. */
  temperature?: number | null;
  /** 0 disables it. */
  top_k?: number | null;
  /** 1 disables it. */
  top_p?: number | null;
  /** 0 disables it. */
  min_p?: number | null;
  /** 1 disables it. */
  repeat_penalty?: number | null;
  seed?: number | null;
}

/** The current settings. */
export interface Settings {
  profile: string;
  model: string;
  general_model: string;
  context_window: number;
  temperature: number;
  top_k: number;
  top_p: number;
  min_p: number;
  repeat_penalty: number;
  max_tokens: number;
  max_reasoning_chars: number;
  idle_minutes: number;
  keep_resident: boolean;
  acceleration: Acceleration;
  run_mode: RunMode;
  air_gap: boolean;
  tab_completion: boolean;
  completion_provider: string;
  completion_timeout_seconds: number;
  completion_max_tokens: number;
  completion_temperature: number;
  prewarm: boolean;
  suggestion_counts: boolean;
  rules: boolean;
  history: boolean;
  titles: boolean;
  title_provider: string;
  title_model: string;
  title_timeout_seconds: number;
}

/** Asks for all of them. */
export type SettingsGetRequest = Record<string, never>;

/** Change some settings and keep them; `null` gives a setting back to the layers below. */
export interface SettingsUpdateRequest {
  profile?: string | null;
  model?: string | null;
  general_model?: string | null;
  /** In tokens; 0 uses the value of the profile. */
  context_window?: number | null;
  /** 0 is greedy. */
  temperature?: number | null;
  /** 0 disables it. */
  top_k?: number | null;
  /** 1 disables it. */
  top_p?: number | null;
  /** 0 disables it. */
  min_p?: number | null;
  /** 1 disables it. */
  repeat_penalty?: number | null;
  max_tokens?: number | null;
  max_reasoning_chars?: number | null;
  /** 0 never unloads. */
  idle_minutes?: number | null;
  keep_resident?: boolean | null;
  acceleration?: Acceleration | null;
  run_mode?: RunMode | null;
  air_gap?: boolean | null;
  tab_completion?: boolean | null;
  /** Id of a provider: lowercase letters, digits and dashes. */
  completion_provider?: string | null;
  /** In seconds, counted from the request. */
  completion_timeout_seconds?: number | null;
  /** 0 adapts the length to the speed of this machine. */
  completion_max_tokens?: number | null;
  /** 0 is greedy. */
  completion_temperature?: number | null;
  prewarm?: boolean | null;
  suggestion_counts?: boolean | null;
  rules?: boolean | null;
  history?: boolean | null;
  titles?: boolean | null;
  /** Id of a provider: lowercase letters, digits and dashes. */
  title_provider?: string | null;
  title_model?: string | null;
  title_timeout_seconds?: number | null;
}

/** The current settings and the source of each value. */
export interface SettingsView {
  settings: Settings;
  sources: Record<string, Layer>;
  path: string;
}

/**
 * Medians over the last requests of the loaded model; with none loaded, of the one that was used
 * last.
 *
 * 0 where none of these requests had enough tokens to tell.
 */
export interface Speeds {
  prefill_tokens_per_second: number;
  decode_tokens_per_second: number;
  first_token_ms: number;
  first_token_p90_ms: number;
  requests: number;
}

/** The first frame of a stream, with the id used to cancel the request. */
export interface Started {
  type: 'started';
  run: string;
  conversation: string;
  provider: string;
  started_at: string;
}

/** Removes all counts. */
export type StatsEraseRequest = Record<string, never>;

/** Asks for the counts. */
export type StatsGetRequest = Record<string, never>;

/** Counts outcomes, in the order in which they happened. */
export interface StatsRecordRequest {
  outcomes: SuggestionOutcome[];
}

/** A streaming command or chat turn, which is not part of the queue. */
export interface StreamItem {
  id: string;
  kind: 'chat' | 'generate';
  command: string;
  provider: string;
  path: string;
  cell: string;
  started: string;
}

/** Number of suggestions by what became of them, of one model in one language. */
export interface SuggestionCounts {
  model: string;
  language: string;
  shown: number;
  accepted: number;
  accepted_line: number;
  accepted_word: number;
  dismissed: number;
  kept: number;
}

/** One event of one suggestion; never its text. */
export interface SuggestionOutcome {
  outcome: 'accepted' | 'accepted_line' | 'accepted_word' | 'dismissed' | 'kept' | 'shown';
  model?: string;
  language?: string;
}

/** Answer of `stats:get`. */
export interface SuggestionStats {
  enabled: boolean;
  since: string;
  counts: SuggestionCounts[];
  total: SuggestionCounts;
  recent_shown: number;
  recent_accepted: number;
  min_probability: number | null;
}

/** Timings of one request, in milliseconds. */
export interface Timings {
  queue_ms: number;
  prefill_ms: number;
  decode_ms: number;
  total_ms: number;
  prefill_tokens_per_second: number;
  decode_tokens_per_second: number;
}

/** How titles are made. */
export interface TitleConfig {
  enabled: boolean;
  provider: string;
  model: string;
  timeout_seconds: number;
  sources: Record<string, Layer>;
  problem: string;
}

/** Asks for it. */
export type TitleConfigGetRequest = Record<string, never>;

/**
 * Change some of it; a wrong timeout (10 to 120 s), provider or model is `TITLE_CONFIG_INVALID`.
 *
 * Where another provider is named and no model, the model of the former one is forgotten.
 */
export interface TitleConfigSetRequest {
  enabled?: boolean;
  provider?: string;
  model?: string;
  timeout_seconds?: number;
}

/** Set the title of an answer. */
export interface TitleSetRequest {
  /** 16 hexadecimal digits. */
  id: string;
  title: string;
}

/** Event `title:status`. */
export interface TitleStatus {
  response_id: string;
  status: 'completed' | 'failed' | 'pending';
  title: string;
  time: string;
  model: string;
}

/** Tokens as a provider counted them; null where it did not say. */
export interface TokenCounts {
  prompt_tokens: number | null;
  cached_tokens: number | null;
  completion_tokens: number | null;
  reasoning_tokens: number | null;
}

/** Tokens of one request. */
export interface Usage {
  prompt_tokens: number | null;
  cached_tokens: number | null;
  completion_tokens: number | null;
  reasoning_tokens: number | null;
  left_out_tokens: number;
}

/** Prefill the prompt of an expected completion, at the lowest priority. */
export interface WarmRequest {
  prefix: string;
  suffix?: string;
  notebook?: NotebookContext | null;
  language?: string;
  model?: string | null;
  scope?: string;
}

/** Answer of `tab:warm`. */
export interface Warmed {
  finish: Finish | 'skipped';
  prompt_tokens: number;
  cached_tokens: number;
  milliseconds: number;
}

/** Frames of a stream: one `Started`, any number of `Delta`, and one `Done` or `Failed`. */
export type Frame = Started | Delta | Done | Failed;

/** Every operation, by name. */
export interface IOperations {
  /** Get the state of the worker, the model, speeds, memory and version. */
  'backend:ping': {
    request: PingRequest;
    response: BackendStatus;
    streams: false;
  };
  /** List the models of the catalogue and on this machine, with licences, profiles and memory fit. */
  'model:list': {
    request: ModelListRequest;
    response: ModelList;
    streams: false;
  };
  /**
   * Make a model ready: verify or download it. Returns immediately; progress is reported by
   * `model:state` events.
   * Errors: MODEL_NOT_FOUND, MODEL_NOT_READY, LICENSE_NOT_ACCEPTED, AIR_GAPPED, DISK_FULL,
   * FILE_WRITE_ERROR, DOWNLOAD_FAILED, CHECKSUM_MISMATCH, MODEL_PINNED.
   */
  'model:ensure': {
    request: ModelEnsureRequest;
    response: ModelInfo;
    streams: false;
  };
  /**
   * Stop a download, a verification, an import or an export. A partial download is kept for
   * resuming unless `discard` is set.
   * Errors: MODEL_NOT_FOUND, MODEL_IN_USE, DOWNLOAD_NOT_FOUND, FILE_WRITE_ERROR.
   */
  'model:cancelDownload': {
    request: ModelCancelDownloadRequest;
    response: Empty;
    streams: false;
  };
  /**
   * Verify the digest of a model file. Returns immediately; progress and result are reported by
   * `model:state` events.
   * Errors: MODEL_NOT_FOUND, MODEL_NOT_READY.
   */
  'model:verify': {
    request: ModelRequest;
    response: ModelInfo;
    streams: false;
  };
  /**
   * Pin a model to its current version, or unpin it.
   * Errors: MODEL_NOT_FOUND, MODEL_NOT_READY, FILE_WRITE_ERROR.
   */
  'model:pin': {
    request: ModelPinRequest;
    response: ModelInfo;
    streams: false;
  };
  /**
   * Import a local GGUF file (copied or linked) or a portable bundle.
   * Errors: FILE_NOT_FOUND, INVALID_ARGUMENT, INVALID_MODEL, CHECKSUM_MISMATCH, DISK_FULL,
   * FILE_WRITE_ERROR, MODEL_IN_USE, CANCELED.
   */
  'model:import': {
    request: ModelImportRequest;
    response: ModelInfo;
    streams: false;
  };
  /**
   * Export a model as a portable bundle for a machine without a network.
   * Errors: MODEL_NOT_FOUND, MODEL_NOT_READY, INVALID_ARGUMENT, MODEL_IN_USE, DISK_FULL,
   * FILE_WRITE_ERROR, CANCELED.
   */
  'model:export': {
    request: ModelExportRequest;
    response: ModelExported;
    streams: false;
  };
  /**
   * Delete a model from this machine.
   * Errors: MODEL_NOT_FOUND, MODEL_IN_USE, FILE_WRITE_ERROR.
   */
  'model:delete': {
    request: ModelDeleteRequest;
    response: DeletedModel;
    streams: false;
  };
  /**
   * Load a model. One load runs at a time; concurrent requests for the same model share it.
   * Errors: MODEL_NOT_FOUND, MODEL_IN_USE, MODEL_NOT_READY, OUT_OF_MEMORY, INVALID_MODEL,
   * UNSUPPORTED_MODEL, LOAD_TIMEOUT, BACKEND_UNAVAILABLE, PACKAGE_MISSING.
   */
  'model:load': {
    request: ModelLoadRequest;
    response: LoadedModel;
    streams: false;
  };
  /** Stop the worker and free all of its memory. */
  'model:unload': {
    request: ModelUnloadRequest;
    response: Empty;
    streams: false;
  };
  /** Get the current settings and the source of each value. */
  'settings:get': {
    request: SettingsGetRequest;
    response: SettingsView;
    streams: false;
  };
  /**
   * Change and save settings; null resets a setting to its inherited value.
   * Errors: FILE_WRITE_ERROR, DISK_FULL, MODEL_NOT_FOUND, PROVIDER_NOT_FOUND.
   */
  'settings:update': {
    request: SettingsUpdateRequest;
    response: SettingsView;
    streams: false;
  };
  /**
   * Run a command (explain, improve, fix, document, test, generate, or a free prompt) on code.
   * Errors: MODEL_NOT_FOUND, MODEL_IN_USE, MODEL_NOT_READY, OUT_OF_MEMORY, INVALID_MODEL,
   * UNSUPPORTED_MODEL, LOAD_TIMEOUT, BACKEND_UNAVAILABLE, PACKAGE_MISSING, INVALID_ARGUMENT,
   * TOKEN_LIMIT_EXCEEDED, QUEUE_FULL, TIMEOUT, CANCELED, NO_ACTIVE_PROVIDER, PROVIDER_NOT_FOUND,
   * AIR_GAPPED, AUTH_ERROR, CONNECTION_ERROR, RATE_LIMITED, NO_ANSWER, DATABASE_ERROR.
   */
  'generate': {
    request: GenerateRequest;
    response: Done;
    streams: true;
  };
  /**
   * Generate the next turn of a conversation.
   * Errors: MODEL_NOT_FOUND, MODEL_IN_USE, MODEL_NOT_READY, OUT_OF_MEMORY, INVALID_MODEL,
   * UNSUPPORTED_MODEL, LOAD_TIMEOUT, BACKEND_UNAVAILABLE, PACKAGE_MISSING, INVALID_ARGUMENT,
   * TOKEN_LIMIT_EXCEEDED, QUEUE_FULL, TIMEOUT, CANCELED, NO_ACTIVE_PROVIDER, PROVIDER_NOT_FOUND,
   * AIR_GAPPED, AUTH_ERROR, CONNECTION_ERROR, RATE_LIMITED, NO_ANSWER, DATABASE_ERROR,
   * FILE_WRITE_ERROR, DISK_FULL, CONVERSATION_NOT_FOUND, RESPONSE_NOT_FOUND, FILE_NOT_FOUND,
   * FILE_READ_ERROR.
   */
  'chat': {
    request: ChatRequest;
    response: Done;
    streams: true;
  };
  /**
   * Complete code at the cursor (fill-in-the-middle).
   * Errors: MODEL_NOT_FOUND, MODEL_IN_USE, MODEL_NOT_READY, OUT_OF_MEMORY, INVALID_MODEL,
   * UNSUPPORTED_MODEL, LOAD_TIMEOUT, BACKEND_UNAVAILABLE, PACKAGE_MISSING, INVALID_ARGUMENT,
   * TOKEN_LIMIT_EXCEEDED, QUEUE_FULL, TIMEOUT, CANCELED, NO_ACTIVE_PROVIDER, PROVIDER_NOT_FOUND,
   * AIR_GAPPED, AUTH_ERROR, CONNECTION_ERROR, RATE_LIMITED, NO_ANSWER, DISABLED.
   */
  'tab:complete': {
    request: CompleteRequest;
    response: Done;
    streams: true;
  };
  /**
   * Prefill a prompt at the lowest priority; stopped as soon as another request arrives.
   * Errors: MODEL_NOT_FOUND, MODEL_IN_USE, MODEL_NOT_READY, OUT_OF_MEMORY, INVALID_MODEL,
   * UNSUPPORTED_MODEL, LOAD_TIMEOUT, BACKEND_UNAVAILABLE, PACKAGE_MISSING, INVALID_ARGUMENT,
   * TOKEN_LIMIT_EXCEEDED, QUEUE_FULL, TIMEOUT, CANCELED, DISABLED.
   */
  'tab:warm': {
    request: WarmRequest;
    response: Warmed;
    streams: false;
  };
  /**
   * Cancel a completion.
   * Errors: NOT_FOUND.
   */
  'tab:cancel': {
    request: CompleteCancelRequest;
    response: Empty;
    streams: false;
  };
  /** Count what became of suggestions: shown, accepted, dismissed, kept. Never their text. */
  'stats:record': {
    request: StatsRecordRequest;
    response: Empty;
    streams: false;
  };
  /** Get the counts of suggestions on this machine, by model and language. */
  'stats:get': {
    request: StatsGetRequest;
    response: SuggestionStats;
    streams: false;
  };
  /**
   * Remove all counts of suggestions.
   * Errors: FILE_WRITE_ERROR, DISK_FULL.
   */
  'stats:erase': {
    request: StatsEraseRequest;
    response: Empty;
    streams: false;
  };
  /**
   * Queue a prompt for a provider. It finishes with the event `response:complete` or
   * `response:error`; `queue:get` can wait for it.
   * Errors: QUEUE_FULL, NO_ACTIVE_PROVIDER, PROVIDER_NOT_FOUND, AIR_GAPPED, AUTH_ERROR,
   * BACKEND_UNAVAILABLE, PACKAGE_MISSING.
   */
  'llm:call': {
    request: CallRequest;
    response: Queued;
    streams: false;
  };
  /**
   * Queue the prompt of a finished request again, unchanged. If the request named no provider, the
   * active one is used.
   * Errors: REQUEST_NOT_FOUND, PROMPT_NOT_FOUND, QUEUE_FULL, NO_ACTIVE_PROVIDER,
   * PROVIDER_NOT_FOUND, AIR_GAPPED, AUTH_ERROR, BACKEND_UNAVAILABLE, PACKAGE_MISSING.
   */
  'llm:retry': {
    request: RetryRequest;
    response: Queued;
    streams: false;
  };
  /**
   * Cancel a waiting or running request.
   * Errors: REQUEST_NOT_FOUND, REQUEST_ALREADY_COMPLETED.
   */
  'llm:cancel': {
    request: LlmCancelRequest;
    response: Empty;
    streams: false;
  };
  /** Cancel all waiting and running requests. */
  'llm:cancelAll': {
    request: LlmCancelAllRequest;
    response: CanceledCount;
    streams: false;
  };
  /**
   * Get the exact prompt of a completion or command, its tokens by source, and a redacted copy.
   * Errors: NOT_FOUND.
   */
  'context:inspect': {
    request: InspectRequest;
    response: Inspection;
    streams: false;
  };
  /** Get the code that a kernel runs silently to report its names, types and columns. */
  'context:probe': {
    request: ProbeRequest;
    response: Probe;
    streams: false;
  };
  /**
   * Compute the text of a cell after code of an answer is inserted or replaces it; magics are
   * preserved.
   */
  'code:place': {
    request: PlaceRequest;
    response: Change;
    streams: false;
  };
  /** List the running, waiting and recently finished requests of the queue. */
  'queue:list': {
    request: QueueListRequest;
    response: QueueView;
    streams: false;
  };
  /**
   * Get a queued request with its answer so far; optionally wait until it finishes.
   * Errors: REQUEST_NOT_FOUND.
   */
  'queue:get': {
    request: QueueGetRequest;
    response: QueueAnswer;
    streams: false;
  };
  /**
   * List all providers, the active provider, and where keys are stored; keys are never returned.
   * Errors: DATABASE_ERROR.
   */
  'provider:list': {
    request: ProviderListRequest;
    response: ProviderList;
    streams: false;
  };
  /**
   * Add a provider, or replace its configuration. Its key is kept unless the host changes.
   * Errors: ENCRYPTION_UNAVAILABLE, DATABASE_ERROR, DISK_FULL, PROVIDER_LOCKED.
   */
  'provider:save': {
    request: ProviderSaveRequest;
    response: ProviderInfo;
    streams: false;
  };
  /**
   * Activate a provider: it answers requests that name no provider.
   * Errors: PROVIDER_NOT_FOUND, DATABASE_ERROR, DISK_FULL, PROVIDER_LOCKED.
   */
  'provider:setActive': {
    request: ProviderIdRequest;
    response: ProviderList;
    streams: false;
  };
  /**
   * Remove a provider and its key. The embedded provider takes over its completions and titles. The
   * active provider cannot be removed.
   * Errors: PROVIDER_NOT_FOUND, ENCRYPTION_UNAVAILABLE, DATABASE_ERROR, DISK_FULL, PROVIDER_IN_USE,
   * PROVIDER_LOCKED, FILE_WRITE_ERROR.
   */
  'provider:delete': {
    request: ProviderIdRequest;
    response: ProviderDeleted;
    streams: false;
  };
  /**
   * Test whether a provider is reachable and accepts its key, by listing its models; this costs
   * nothing.
   * Errors: PROVIDER_NOT_FOUND, AIR_GAPPED, CONNECTION_ERROR, RATE_LIMITED, TIMEOUT,
   * INVALID_ARGUMENT, MODEL_NOT_FOUND, MODEL_NOT_READY.
   */
  'provider:test': {
    request: ProviderIdRequest;
    response: ProviderTested;
    streams: false;
  };
  /**
   * Save the key of a provider for its current host.
   * Errors: PROVIDER_NOT_FOUND, ENCRYPTION_UNAVAILABLE, DATABASE_ERROR, DISK_FULL.
   */
  'provider:setKey': {
    request: ProviderSetKeyRequest;
    response: ProviderInfo;
    streams: false;
  };
  /**
   * Delete the stored key of a provider. A key in the environment stays.
   * Errors: PROVIDER_NOT_FOUND, ENCRYPTION_UNAVAILABLE, DATABASE_ERROR, DISK_FULL.
   */
  'provider:forgetKey': {
    request: ProviderIdRequest;
    response: ProviderInfo;
    streams: false;
  };
  /**
   * List saved answers without their texts, newest first; optionally of a single prompt. Paginated.
   * Errors: DATABASE_ERROR, FILE_WRITE_ERROR, DISK_FULL, PROMPT_NOT_FOUND.
   */
  'response:getHistory': {
    request: ResponseListRequest;
    response: ResponseList;
    streams: false;
  };
  /**
   * Get a saved answer with its full text.
   * Errors: DATABASE_ERROR, FILE_WRITE_ERROR, DISK_FULL, RESPONSE_NOT_FOUND, FILE_NOT_FOUND,
   * FILE_READ_ERROR.
   */
  'response:get': {
    request: ResponseRequest;
    response: Response;
    streams: false;
  };
  /**
   * Delete a saved answer.
   * Errors: DATABASE_ERROR, FILE_WRITE_ERROR, DISK_FULL, RESPONSE_NOT_FOUND, FILE_DELETE_ERROR.
   */
  'response:delete': {
    request: ResponseRequest;
    response: Empty;
    streams: false;
  };
  /**
   * Delete the answers to a prompt, or all answers.
   * Errors: DATABASE_ERROR, FILE_WRITE_ERROR, DISK_FULL, PROMPT_NOT_FOUND, FILE_DELETE_ERROR,
   * INVALID_ARGUMENT.
   */
  'response:deleteAll': {
    request: ResponseDeleteAllRequest;
    response: DeletedCount;
    streams: false;
  };
  /**
   * Search answers whose prompt, text or title contains all words, newest first.
   * Errors: DATABASE_ERROR, FILE_WRITE_ERROR, DISK_FULL.
   */
  'response:search': {
    request: ResponseSearchRequest;
    response: ResponsesFound;
    streams: false;
  };
  /**
   * Export an answer, the answers to a prompt, or all answers as a zip file.
   * Errors: DATABASE_ERROR, FILE_WRITE_ERROR, DISK_FULL, PROMPT_NOT_FOUND, RESPONSE_NOT_FOUND,
   * INVALID_ARGUMENT.
   */
  'response:export': {
    request: ResponseExportRequest;
    response: ResponsesExported;
    streams: false;
  };
  /** Get the title settings. */
  'title:config:get': {
    request: TitleConfigGetRequest;
    response: TitleConfig;
    streams: false;
  };
  /**
   * Change and save the title settings.
   * Errors: TITLE_CONFIG_INVALID, FILE_WRITE_ERROR, DISK_FULL.
   */
  'title:config:set': {
    request: TitleConfigSetRequest;
    response: TitleConfig;
    streams: false;
  };
  /**
   * Generate a title, or a new one, when the model is idle.
   * Errors: TITLE_RESPONSE_NOT_FOUND, TITLE_TIMEOUT, TITLE_PROVIDER_ERROR, DATABASE_ERROR,
   * FILE_WRITE_ERROR, DISK_FULL.
   */
  'title:generate': {
    request: ResponseRequest;
    response: ResponseInfo;
    streams: false;
  };
  /**
   * Set the title of an answer.
   * Errors: DATABASE_ERROR, FILE_WRITE_ERROR, DISK_FULL, RESPONSE_NOT_FOUND, FILE_NOT_FOUND,
   * FILE_READ_ERROR, INVALID_ARGUMENT.
   */
  'title:set': {
    request: TitleSetRequest;
    response: ResponseInfo;
    streams: false;
  };
  /**
   * List conversations, most recently used first. Paginated.
   * Errors: DATABASE_ERROR, FILE_WRITE_ERROR, DISK_FULL.
   */
  'conversation:list': {
    request: ConversationListRequest;
    response: ConversationList;
    streams: false;
  };
  /**
   * Get a conversation with its turns.
   * Errors: DATABASE_ERROR, FILE_WRITE_ERROR, DISK_FULL, CONVERSATION_NOT_FOUND,
   * RESPONSE_NOT_FOUND, FILE_READ_ERROR.
   */
  'conversation:get': {
    request: ConversationGetRequest;
    response: Conversation;
    streams: false;
  };
  /**
   * Set the title of a conversation.
   * Errors: DATABASE_ERROR, FILE_WRITE_ERROR, DISK_FULL, CONVERSATION_NOT_FOUND, INVALID_ARGUMENT.
   */
  'conversation:rename': {
    request: ConversationRenameRequest;
    response: ConversationInfo;
    streams: false;
  };
  /**
   * Delete a conversation and the turns that no other conversation shares.
   * Errors: DATABASE_ERROR, FILE_WRITE_ERROR, DISK_FULL, CONVERSATION_NOT_FOUND, FILE_DELETE_ERROR.
   */
  'conversation:delete': {
    request: ConversationRequest;
    response: DeletedCount;
    streams: false;
  };
  /**
   * Fork a conversation: create one that shares its turns up to a given turn.
   * Errors: DATABASE_ERROR, FILE_WRITE_ERROR, DISK_FULL, CONVERSATION_NOT_FOUND,
   * RESPONSE_NOT_FOUND.
   */
  'conversation:branch': {
    request: ConversationBranchRequest;
    response: ConversationInfo;
    streams: false;
  };
}

/** Every event, by name, with its payload. */
export interface IEvents {
  /** The worker changed its state. */
  'backend:state': BackendState;
  /** A download, import, verification, export or removal made progress. */
  'model:state': ModelStateEvent;
  /** The settings were changed. */
  'settings:changed': SettingsView;
  /** A frame of a completion, sent to the client that requested it. */
  'tab:stream': Frame;
  /** A notification for the user. */
  'notice': Notice;
  /** A provider was configured, activated or removed, or its key changed. */
  'providers:changed': ProviderList;
  /** A request was queued, started or finished. */
  'queue:updated': QueueUpdated;
  /** A request was answered, and its answer is available. */
  'response:complete': ResponseComplete;
  /** A request failed or was cancelled. */
  'response:error': ResponseError;
  /** Answers were saved, deleted or titled. */
  'history:changed': HistoryChanged;
  /** A title is pending, generated, or failed. */
  'title:status': TitleStatus;
}

/** Every error code; a newer server may know more. */
export const CODES = {
  AIR_GAPPED: 'AIR_GAPPED',
  AUTH_ERROR: 'AUTH_ERROR',
  BACKEND_UNAVAILABLE: 'BACKEND_UNAVAILABLE',
  CANCELED: 'CANCELED',
  CHECKSUM_MISMATCH: 'CHECKSUM_MISMATCH',
  CONFIG_INVALID: 'CONFIG_INVALID',
  CONNECTION_ERROR: 'CONNECTION_ERROR',
  CONVERSATION_NOT_FOUND: 'CONVERSATION_NOT_FOUND',
  DATABASE_ERROR: 'DATABASE_ERROR',
  DISABLED: 'DISABLED',
  DISK_FULL: 'DISK_FULL',
  DOWNLOAD_FAILED: 'DOWNLOAD_FAILED',
  DOWNLOAD_NOT_FOUND: 'DOWNLOAD_NOT_FOUND',
  ENCRYPTION_UNAVAILABLE: 'ENCRYPTION_UNAVAILABLE',
  FILE_DELETE_ERROR: 'FILE_DELETE_ERROR',
  FILE_NOT_FOUND: 'FILE_NOT_FOUND',
  FILE_READ_ERROR: 'FILE_READ_ERROR',
  FILE_WRITE_ERROR: 'FILE_WRITE_ERROR',
  INVALID_ARGUMENT: 'INVALID_ARGUMENT',
  INVALID_MODEL: 'INVALID_MODEL',
  LICENSE_NOT_ACCEPTED: 'LICENSE_NOT_ACCEPTED',
  LOAD_TIMEOUT: 'LOAD_TIMEOUT',
  MODEL_IN_USE: 'MODEL_IN_USE',
  MODEL_NOT_FOUND: 'MODEL_NOT_FOUND',
  MODEL_NOT_READY: 'MODEL_NOT_READY',
  MODEL_PINNED: 'MODEL_PINNED',
  NOT_FOUND: 'NOT_FOUND',
  NO_ACTIVE_PROVIDER: 'NO_ACTIVE_PROVIDER',
  NO_ANSWER: 'NO_ANSWER',
  OUT_OF_MEMORY: 'OUT_OF_MEMORY',
  PACKAGE_MISSING: 'PACKAGE_MISSING',
  POLICY_INVALID: 'POLICY_INVALID',
  PROMPT_NOT_FOUND: 'PROMPT_NOT_FOUND',
  PROVIDER_IN_USE: 'PROVIDER_IN_USE',
  PROVIDER_LOCKED: 'PROVIDER_LOCKED',
  PROVIDER_NOT_FOUND: 'PROVIDER_NOT_FOUND',
  QUEUE_FULL: 'QUEUE_FULL',
  QUOTA_EXCEEDED: 'QUOTA_EXCEEDED',
  RATE_LIMITED: 'RATE_LIMITED',
  REQUEST_ALREADY_COMPLETED: 'REQUEST_ALREADY_COMPLETED',
  REQUEST_NOT_FOUND: 'REQUEST_NOT_FOUND',
  RESPONSE_NOT_FOUND: 'RESPONSE_NOT_FOUND',
  TIMEOUT: 'TIMEOUT',
  TITLE_CONFIG_INVALID: 'TITLE_CONFIG_INVALID',
  TITLE_PROVIDER_ERROR: 'TITLE_PROVIDER_ERROR',
  TITLE_RESPONSE_NOT_FOUND: 'TITLE_RESPONSE_NOT_FOUND',
  TITLE_TIMEOUT: 'TITLE_TIMEOUT',
  TOKEN_LIMIT_EXCEEDED: 'TOKEN_LIMIT_EXCEEDED',
  UNKNOWN_ERROR: 'UNKNOWN_ERROR',
  UNSUPPORTED_MODEL: 'UNSUPPORTED_MODEL',
  VALIDATION_ERROR: 'VALIDATION_ERROR'
} as const;

/** All commands, in the order of menus. */
export const COMMANDS: readonly Command[] = [
  'explain', 'improve', 'fix', 'document', 'test', 'generate', 'prompt'
];

/** Commands whose answer replaces the code that was sent. */
export const CHANGES: readonly Command[] = ['document', 'fix', 'improve'];

/** TeX commands, without the backslash, that lose their meaning in what a model writes. */
export const DISARMED_TEX: readonly string[] = [
  'DeclareMathOperator', 'DeclarePairedDelimiter', 'DeclarePairedDelimiters',
  'DeclarePairedDelimitersX', 'DeclarePairedDelimitersXPP', 'Newextarrow', 'action', 'autoload',
  'bbox', 'begingroupReset', 'begingroupSandbox', 'catcode', 'class', 'csname', 'cssId', 'data',
  'def', 'edef', 'futurelet', 'gdef', 'global', 'gnewcommand', 'href', 'htmlClass', 'htmlData',
  'htmlId', 'htmlStyle', 'includegraphics', 'let', 'long', 'mathtip', 'mmlToken', 'newcommand',
  'newenvironment', 'newtagform', 'providecommand', 'renewcommand', 'renewenvironment',
  'renewtagform', 'require', 'setOptions', 'style', 'texttip', 'toggle', 'unicode', 'url',
  'usetagform', 'xdef'
];

/** Id of the provider that is always there. */
export const EMBEDDED = 'embedded';

/** Key of this extension in the metadata of a cell. */
export const METADATA_KEY = 'localcoder';

/** Fields of a request that hold the text of other cells; a traceback quotes their lines. */
export const OF_OTHER_CELLS = ['context', 'below', 'variables', 'error'] as const;

/** Error codes that mean: there is no model to answer. */
export const NO_MODEL_CODES: readonly string[] = ['MODEL_NOT_READY', 'MODEL_NOT_FOUND'];

/** Error codes of a completion that are not shown: they pass, or the next key changes the request. */
export const PASSING_CODES: readonly string[] = [
  'QUEUE_FULL', 'CANCELED', 'TIMEOUT', 'CONNECTION_ERROR', 'BACKEND_UNAVAILABLE', 'INVALID_ARGUMENT',
  'TOKEN_LIMIT_EXCEEDED', 'NOT_FOUND'
];

/** Error codes that mean: the queued request is over already. */
export const OVER_CODES: readonly string[] = ['REQUEST_ALREADY_COMPLETED', 'REQUEST_NOT_FOUND'];

/** Id of a model. */
export const MODEL_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** A place of a prompt, with its name as the group. */
export const PLACE = /\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*\}\}/;

/** Limits, patterns and defaults of fields of requests. The service may exclude a minimum itself. */
export const FIELDS = {
  SettingsUpdateRequest: {
    profile: { maxLength: 128 },
    model: { maxLength: 128 },
    general_model: { maxLength: 128 },
    context_window: { min: 0, max: 1048576 },
    temperature: { min: 0, max: 2 },
    top_k: { min: 0, max: 1000 },
    top_p: { min: 0, max: 1 },
    min_p: { min: 0, max: 1 },
    repeat_penalty: { min: 1, max: 2 },
    max_tokens: { min: 1, max: 131072 },
    max_reasoning_chars: { min: 0, max: 1000000 },
    idle_minutes: { min: 0, max: 10080 },
    completion_provider: { pattern: /^[a-z0-9][a-z0-9-]{0,63}$/ },
    completion_timeout_seconds: { min: 0.1, max: 3600 },
    completion_max_tokens: { min: 0, max: 512 },
    completion_temperature: { min: 0, max: 2 },
    title_provider: { pattern: /^[a-z0-9][a-z0-9-]{0,63}$/ },
    title_model: { maxLength: 256 },
    title_timeout_seconds: { min: 10, max: 120 }
  },
  ProviderSaveRequest: {
    type: { pattern: /^[a-z][a-z0-9_]{0,63}$/ },
    name: { maxLength: 100 },
    base_url: { maxLength: 2048 },
    model: { maxLength: 256 },
    timeout_seconds: { min: 0.1, max: 3600, default: 300 },
    connect_timeout_seconds: { min: 0.1, max: 3600, default: 10 },
    silence_timeout_seconds: { min: 0.1, max: 3600, default: 60 },
    fill: { default: 'off' },
    fill_template: { maxLength: 512, default: '<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>' },
    api_version: { pattern: /^[0-9A-Za-z.-]{0,64}$/ },
    context_window: { min: 0, max: 1048576, default: 0 },
    allow_unencrypted_key: { default: false },
    id: { pattern: /^[a-z0-9][a-z0-9-]{0,63}$/ },
    key: { maxLength: 4096, pattern: /^[\x21-\x7e]+$/ },
    keep_key: { default: 'auto' }
  },
  TitleConfigSetRequest: {
    provider: { maxLength: 64 },
    model: { maxLength: 256 }
  },
  TitleSetRequest: {
    id: { pattern: /^[0-9a-f]{16}$/ },
    title: { maxLength: 120 }
  },
  ResponseSearchRequest: {
    query: { maxLength: 1000 },
    limit: { min: 1, max: 200, default: 50 },
    offset: { min: 0, max: 1000000000, default: 0 }
  },
  CompleteRequest: {
    prefix: { maxLength: 4000000 },
    suffix: { maxLength: 4000000 },
    language: { maxLength: 64, default: 'python' },
    multiline: { default: true },
    automatic: { default: false },
    ahead: { default: false },
    max_tokens: { min: 1, max: 131072 },
    temperature: { min: 0, max: 2 },
    timeout_ms: { min: 1, max: 3600000 },
    stop: { maxItems: 16 },
    provider: { maxLength: 64 },
    model: { maxLength: 256 },
    seed: { min: 0, max: 4294967294 },
    scope: { maxLength: 1024 }
  },
  NotebookContext: {
    path: { maxLength: 4096 },
    cells: { maxItems: 10000 },
    active: { default: -1 },
    variables: { maxItems: 1000 }
  },
  NotebookCell: {
    id: { maxLength: 512 },
    kind: { default: 'code' },
    source: { maxLength: 4000000 },
    status: { default: 'none' },
    error: { maxLength: 512 },
    hint: { maxLength: 512 },
    head: { maxLength: 400 }
  }
} as const;

/** The part of a translation bundle that words need. */
export interface Translator {
  __(text: string, ...values: (string | number)[]): string;
}

export type ActionWord =
  | 'download'
  | 'resume'
  | 'retry'
  | 'update'
  | 'pause'
  | 'stop'
  | 'discard'
  | 'load'
  | 'unload'
  | 'use-code'
  | 'use-general'
  | 'verify'
  | 'export'
  | 'pin'
  | 'unpin'
  | 'delete';

export function actionWord(
  key: ActionWord,
  trans: Translator
): string {
  switch (key) {
    case 'download':
      return trans.__('Download…');
    case 'resume':
      return trans.__('Resume');
    case 'retry':
      return trans.__('Try again');
    case 'update':
      return trans.__('Update');
    case 'pause':
      return trans.__('Pause');
    case 'stop':
      return trans.__('Stop');
    case 'discard':
      return trans.__('Cancel');
    case 'load':
      return trans.__('Load');
    case 'unload':
      return trans.__('Unload');
    case 'use-code':
      return trans.__('Use for code');
    case 'use-general':
      return trans.__('Use for general questions');
    case 'verify':
      return trans.__('Verify');
    case 'export':
      return trans.__('Export…');
    case 'pin':
      return trans.__('Pin this version');
    case 'unpin':
      return trans.__('Unpin');
    case 'delete':
      return trans.__('Delete…');
  }
}

export type ActivityWord =
  | ''
  | 'download'
  | 'verify'
  | 'import'
  | 'export';

export function activityWord(
  key: ActivityWord,
  trans: Translator
): string {
  switch (key) {
    case '':
      return trans.__('Paused');
    case 'download':
      return trans.__('Downloading');
    case 'verify':
      return trans.__('Verifying');
    case 'import':
      return trans.__('Importing');
    case 'export':
      return trans.__('Exporting');
  }
}

export type FitWord =
  | 'fits'
  | 'tight'
  | 'does-not-fit'
  | 'unknown';

export function fitWord(
  key: FitWord,
  trans: Translator
): string {
  switch (key) {
    case 'fits':
      return trans.__('Fits');
    case 'tight':
      return trans.__('Tight');
    case 'does-not-fit':
      return trans.__('Does not fit');
    case 'unknown':
      return trans.__('Fit unknown');
  }
}

export type AccelerationWord =
  | 'auto'
  | 'gpu'
  | 'cpu';

export function accelerationWord(
  key: AccelerationWord,
  trans: Translator
): string {
  switch (key) {
    case 'auto':
      return trans.__('Automatic');
    case 'gpu':
      return trans.__('GPU');
    case 'cpu':
      return trans.__('CPU only');
  }
}

export type RunModeWord =
  | 'performance'
  | 'stability';

export function runModeWord(
  key: RunModeWord,
  trans: Translator
): string {
  switch (key) {
    case 'performance':
      return trans.__('Performance');
    case 'stability':
      return trans.__('Stability: less memory, CPU');
  }
}

export type ModelStateWord =
  | 'downloading'
  | 'verifying'
  | 'importing'
  | 'exporting'
  | 'loading'
  | 'loaded'
  | 'ready'
  | 'error'
  | 'paused'
  | 'absent';

export function modelStateWord(
  key: ModelStateWord,
  trans: Translator
): string {
  switch (key) {
    case 'downloading':
      return trans.__('downloading');
    case 'verifying':
      return trans.__('verifying');
    case 'importing':
      return trans.__('importing');
    case 'exporting':
      return trans.__('exporting');
    case 'loading':
      return trans.__('loading');
    case 'loaded':
      return trans.__('loaded');
    case 'ready':
      return trans.__('on this machine');
    case 'error':
      return trans.__('error');
    case 'paused':
      return trans.__('paused');
    case 'absent':
      return trans.__('not downloaded');
  }
}

export type MemoryFitText =
  | 'weights'
  | 'kv'
  | 'compute'
  | 'overhead'
  | 'needed'
  | 'private'
  | 'available'
  | 'kernels'
  | 'given-back'
  | 'unknown'
  | 'numbers'
  | 'reserved';

export function memoryFitText(
  key: MemoryFitText,
  trans: Translator,
  ...values: (string | number)[]
): string {
  switch (key) {
    case 'weights':
      return trans.__('Weights');
    case 'kv':
      return trans.__('KV cache for %1 tokens', ...values);
    case 'compute':
      return trans.__('Computation');
    case 'overhead':
      return trans.__('Worker process');
    case 'needed':
      return trans.__('Together');
    case 'private':
      return trans.__('Non-reclaimable memory');
    case 'available':
      return trans.__('Available now');
    case 'kernels':
      return trans.__('Used by open kernels (%1)', ...values);
    case 'given-back':
      return trans.__('Freed by unloading the loaded model');
    case 'unknown':
      return trans.__('memory requirement unknown');
    case 'numbers':
      return trans.__('needs %1, %2 available', ...values);
    case 'reserved':
      return trans.__('needs %1, %2 available, part of which is reserved', ...values);
  }
}

export type DetailText =
  | 'id'
  | 'parameters'
  | 'license'
  | 'version'
  | 'digest'
  | 'file'
  | 'fills'
  | 'reads'
  | 'writes'
  | 'newer'
  | 'not-known'
  | 'linked'
  | 'yes'
  | 'no'
  | 'pinned'
  | 'pinned-version'
  | 'context'
  | 'license-not-known'
  | 'pinned-to-version'
  | 'newer-available';

export function detailText(
  key: DetailText,
  trans: Translator,
  ...values: (string | number)[]
): string {
  switch (key) {
    case 'id':
      return trans.__('Id');
    case 'parameters':
      return trans.__('Parameters');
    case 'license':
      return trans.__('Licence');
    case 'version':
      return trans.__('Version');
    case 'digest':
      return trans.__('SHA-256');
    case 'file':
      return trans.__('File');
    case 'fills':
      return trans.__('Fill-in-the-middle');
    case 'reads':
      return trans.__('Reads here');
    case 'writes':
      return trans.__('Writes here');
    case 'newer':
      return trans.__('Newer version');
    case 'not-known':
      return trans.__('not known');
    case 'linked':
      return trans.__('linked, outside the model folder');
    case 'yes':
      return trans.__('yes');
    case 'no':
      return trans.__('no');
    case 'pinned':
      return trans.__('pinned');
    case 'pinned-version':
      return trans.__('%1 (pinned)', ...values);
    case 'context':
      return trans.__('%1 context', ...values);
    case 'license-not-known':
      return trans.__('Licence not known');
    case 'pinned-to-version':
      return trans.__('pinned to its current version');
    case 'newer-available':
      return trans.__('a newer version is available');
  }
}

export type SettingLabel =
  | 'air_gap'
  | 'acceleration'
  | 'run_mode'
  | 'context_window'
  | 'keep_resident'
  | 'idle_minutes'
  | 'completion_timeout_seconds'
  | 'prewarm'
  | 'profile'
  | 'model'
  | 'general_model';

export function settingLabel(
  key: SettingLabel,
  trans: Translator
): string {
  switch (key) {
    case 'air_gap':
      return trans.__('Air gap');
    case 'acceleration':
      return trans.__('Acceleration');
    case 'run_mode':
      return trans.__('Run mode');
    case 'context_window':
      return trans.__('Context window (tokens)');
    case 'keep_resident':
      return trans.__('Keep the model in memory');
    case 'idle_minutes':
      return trans.__('Unload after (minutes idle)');
    case 'completion_timeout_seconds':
      return trans.__('Completion time limit (seconds)');
    case 'prewarm':
      return trans.__('Load the model when a notebook is opened');
    case 'profile':
      return trans.__('Profile');
    case 'model':
      return trans.__('Model for code');
    case 'general_model':
      return trans.__('Model for general questions');
  }
}

export type SettingHelp =
  | 'air_gap'
  | 'context_window'
  | 'keep_resident'
  | 'idle_minutes'
  | 'completion_timeout_seconds'
  | 'prewarm';

export function settingHelp(
  key: SettingHelp,
  trans: Translator
): string {
  switch (key) {
    case 'air_gap':
      return trans.__('Block connections to other machines: no downloads, no remote providers. Import models from files.');
    case 'context_window':
      return trans.__('0 uses the value of the profile. A larger window uses more memory.');
    case 'keep_resident':
      return trans.__('The model is never unloaded automatically.');
    case 'idle_minutes':
      return trans.__('0 never unloads.');
    case 'completion_timeout_seconds':
      return trans.__('The text generated by then is shown.');
    case 'prewarm':
      return trans.__('The first completion is faster; memory is used earlier.');
  }
}

export type ManagerText =
  | 'license-question'
  | 'origins'
  | 'expected-digest'
  | 'license-text'
  | 'accept'
  | 'decline'
  | 'delete-question'
  | 'delete'
  | 'link-removed'
  | 'file-deleted'
  | 'unloaded-first'
  | 'export'
  | 'automatic'
  | 'by-profile'
  | 'pinned'
  | 'not-here'
  | 'not-completing'
  | 'connections-blocked'
  | 'free-memory'
  | 'nothing-loaded'
  | 'memory-available'
  | 'kernels-use'
  | 'models'
  | 'folder'
  | 'import-file'
  | 'model-settings'
  | 'path'
  | 'name'
  | 'link'
  | 'import'
  | 'import-of'
  | 'stop-import'
  | 'progress-of'
  | 'details'
  | 'memory'
  | 'writes'
  | 'written-to'
  | 'imported'
  | 'ready'
  | 'download-paused'
  | 'amount'
  | 'rate'
  | 'left';

export function managerText(
  key: ManagerText,
  trans: Translator,
  ...values: (string | number)[]
): string {
  switch (key) {
    case 'license-question':
      return trans.__('%1 (%2) is licensed under “%3”. The download starts after you accept the licence.', ...values);
    case 'origins':
      return trans.__('The file comes from the first of these sources that delivers it:');
    case 'expected-digest':
      return trans.__('It is used only if its SHA-256 is %1.', ...values);
    case 'license-text':
      return trans.__('Licence text: %1', ...values);
    case 'accept':
      return trans.__('Accept and download');
    case 'decline':
      return trans.__('Decline');
    case 'delete-question':
      return trans.__('Delete %1?', ...values);
    case 'delete':
      return trans.__('Delete');
    case 'link-removed':
      return trans.__('Only the link will be removed; the file is not deleted.');
    case 'file-deleted':
      return trans.__('Its file will be deleted from this machine.');
    case 'unloaded-first':
      return trans.__('The model is loaded and will be unloaded first.');
    case 'export':
      return trans.__('Export');
    case 'automatic':
      return trans.__('Automatic: %1', ...values);
    case 'by-profile':
      return trans.__('By profile: %1', ...values);
    case 'pinned':
      return trans.__('Pinned: used even if a better model is downloaded. Select “By profile” to unpin it.');
    case 'not-here':
      return trans.__('%1 (not on this machine)', ...values);
    case 'not-completing':
      return trans.__('%1 (no completion while typing)', ...values);
    case 'connections-blocked':
      return trans.__('Connections to other machines are blocked.');
    case 'free-memory':
      return trans.__('Unload and free memory');
    case 'nothing-loaded':
      return trans.__('No model is loaded.');
    case 'memory-available':
      return trans.__('%1 of memory available.', ...values);
    case 'kernels-use':
      return trans.__('Open kernels use %1.', ...values);
    case 'models':
      return trans.__('Models');
    case 'folder':
      return trans.__('Model folder: %1', ...values);
    case 'import-file':
      return trans.__('Import a model from a file');
    case 'model-settings':
      return trans.__('Model settings');
    case 'path':
      return trans.__('GGUF file or bundle');
    case 'name':
      return trans.__('Name (optional)');
    case 'link':
      return trans.__('Link to the file instead of copying it');
    case 'import':
      return trans.__('Import');
    case 'import-of':
      return trans.__('Import of %1', ...values);
    case 'stop-import':
      return trans.__('Stop the import');
    case 'progress-of':
      return trans.__('Progress of %1', ...values);
    case 'details':
      return trans.__('Details');
    case 'memory':
      return trans.__('Memory');
    case 'writes':
      return trans.__('Writes %1 here.', ...values);
    case 'written-to':
      return trans.__('Written to %1.', ...values);
    case 'imported':
      return trans.__('%1 is imported.', ...values);
    case 'ready':
      return trans.__('%1 is ready.', ...values);
    case 'download-paused':
      return trans.__('The download of %1 is paused.', ...values);
    case 'amount':
      return trans.__('%1 %: %2 of %3', ...values);
    case 'rate':
      return trans.__('%1/s', ...values);
    case 'left':
      return trans.__('%1 left', ...values);
  }
}

/** REST method and path of each operation, relative to `<base_url>localcoder/`. */
export const OPERATIONS = {
  'backend:ping': { method: 'GET', path: 'health', streams: false },
  'model:list': { method: 'GET', path: 'models', streams: false },
  'model:ensure': { method: 'POST', path: 'models/{id}/ensure', streams: false },
  'model:cancelDownload': { method: 'DELETE', path: 'models/{id}/download', streams: false },
  'model:verify': { method: 'POST', path: 'models/{id}/verify', streams: false },
  'model:pin': { method: 'POST', path: 'models/{id}/pin', streams: false },
  'model:import': { method: 'POST', path: 'models/import', streams: false },
  'model:export': { method: 'POST', path: 'models/{id}/export', streams: false },
  'model:delete': { method: 'DELETE', path: 'models/{id}', streams: false },
  'model:load': { method: 'POST', path: 'models/{id}/load', streams: false },
  'model:unload': { method: 'POST', path: 'models/unload', streams: false },
  'settings:get': { method: 'GET', path: 'settings', streams: false },
  'settings:update': { method: 'PATCH', path: 'settings', streams: false },
  'generate': { method: 'POST', path: 'generate', streams: true },
  'chat': { method: 'POST', path: 'chat', streams: true },
  'tab:complete': { method: 'POST', path: 'complete', streams: true },
  'tab:warm': { method: 'POST', path: 'complete/warm', streams: false },
  'tab:cancel': { method: 'DELETE', path: 'complete/{run}', streams: false },
  'stats:record': { method: 'POST', path: 'stats', streams: false },
  'stats:get': { method: 'GET', path: 'stats', streams: false },
  'stats:erase': { method: 'DELETE', path: 'stats', streams: false },
  'llm:call': { method: 'POST', path: 'queue', streams: false },
  'llm:retry': { method: 'POST', path: 'queue/{id}/retry', streams: false },
  'llm:cancel': { method: 'DELETE', path: 'queue/{id}', streams: false },
  'llm:cancelAll': { method: 'DELETE', path: 'queue', streams: false },
  'context:inspect': { method: 'POST', path: 'context/inspect', streams: false },
  'context:probe': { method: 'GET', path: 'context/probe', streams: false },
  'code:place': { method: 'POST', path: 'code/place', streams: false },
  'queue:list': { method: 'GET', path: 'queue', streams: false },
  'queue:get': { method: 'GET', path: 'queue/{id}', streams: false },
  'provider:list': { method: 'GET', path: 'providers', streams: false },
  'provider:save': { method: 'PUT', path: 'providers/{id}', streams: false },
  'provider:setActive': { method: 'POST', path: 'providers/{id}/activate', streams: false },
  'provider:delete': { method: 'DELETE', path: 'providers/{id}', streams: false },
  'provider:test': { method: 'POST', path: 'providers/{id}/test', streams: false },
  'provider:setKey': { method: 'PUT', path: 'providers/{id}/key', streams: false },
  'provider:forgetKey': { method: 'DELETE', path: 'providers/{id}/key', streams: false },
  'response:getHistory': { method: 'GET', path: 'responses', streams: false },
  'response:get': { method: 'GET', path: 'responses/{id}', streams: false },
  'response:delete': { method: 'DELETE', path: 'responses/{id}', streams: false },
  'response:deleteAll': { method: 'DELETE', path: 'responses', streams: false },
  'response:search': { method: 'GET', path: 'responses/search', streams: false },
  'response:export': { method: 'POST', path: 'responses/export', streams: false },
  'title:config:get': { method: 'GET', path: 'titles/config', streams: false },
  'title:config:set': { method: 'PATCH', path: 'titles/config', streams: false },
  'title:generate': { method: 'POST', path: 'responses/{id}/title', streams: false },
  'title:set': { method: 'PUT', path: 'responses/{id}/title', streams: false },
  'conversation:list': { method: 'GET', path: 'conversations', streams: false },
  'conversation:get': { method: 'GET', path: 'conversations/{id}', streams: false },
  'conversation:rename': { method: 'PUT', path: 'conversations/{id}/title', streams: false },
  'conversation:delete': { method: 'DELETE', path: 'conversations/{id}', streams: false },
  'conversation:branch': { method: 'POST', path: 'conversations/{id}/branch', streams: false }
} as const;
