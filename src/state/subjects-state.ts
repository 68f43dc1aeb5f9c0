// What can be drawn, opened, renamed and removed: runs and imported files.
import type { RunState } from '../storage/runs';

/** Who works on a run: this tab, another one, nobody although it was not paused (its tab was closed), or nobody. */
export type Activity = 'here' | 'elsewhere' | 'interrupted' | 'none';

export type RunSubject = {
  readonly kind: 'run';
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly thumbnail: Blob | undefined;
  readonly state: RunState;
  readonly activity: Activity;
  readonly step: number;
  readonly steps: number;
  readonly subjectWord: string;
  readonly className: string;
};

export type LoraSubject = {
  readonly kind: 'lora';
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly modelId: string;
  readonly fileName: string;
  readonly sizeBytes: number;
};

export type Subject = RunSubject | LoraSubject;

/** Those with weights to draw with. */
export const drawable = (subjects: readonly Subject[]): readonly Subject[] =>
  subjects.filter((subject) => subject.kind === 'lora' || subject.step > 0);
