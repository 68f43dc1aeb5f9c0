// What the engine is, and what it holds in memory by name.
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { refreshEngine } from '../../../state/engine';
import { infoOf, memoryTotal } from '../../../state/engine-state';
import { useApp } from '../../app-context';
import { formatBytes } from '../../format';
import { backendNames } from '../../shell/EngineStatus';
import p from '../page.module.css';

/** The engine's own facts. */
export function EngineDetails() {
  const app = useApp();
  const engine = useStore(app.engine);
  const info = infoOf(engine);
  useEffect(() => void refreshEngine(app), [app]);
  return (
    <section className={p['panel']} aria-labelledby="engine-title">
      <h2 id="engine-title">Engine</h2>
      {info ? (
        <dl className={p['facts']}>
          <dt>Runs on</dt>
          <dd>{backendNames[info.backend]}</dd>
          {info.adapter !== '' && (
            <>
              <dt>Adapter</dt>
              <dd>{info.adapter}</dd>
            </>
          )}
          <dt>Threads</dt>
          <dd>{info.threads}</dd>
          <dt>Draws with</dt>
          <dd>{info.samplingType === 'float16' ? '16-bit numbers' : '32-bit numbers'}</dd>
          <dt>Memory for one job</dt>
          <dd>{formatBytes(info.memoryLimitBytes)}</dd>
        </dl>
      ) : (
        <p className={p['soft']}>Not running.</p>
      )}
      {info !== undefined && info.fallbackReason !== '' && (
        <p className={p['tip']}>WebGPU is not used: {info.fallbackReason}</p>
      )}
      {info !== undefined && info.backend === 'webgpu' && info.noHalfReason !== '' && (
        <p className={p['tip']}>16-bit numbers are not used: {info.noHalfReason}</p>
      )}
      {engine.phase === 'ready' && (
        <>
          <h2>Memory in use</h2>
          <dl className={p['facts']}>
            {Object.entries(engine.memory)
              .toSorted(([, a], [, b]) => b - a)
              .map(([name, bytes]) => (
                <div key={name} style={{ display: 'contents' }}>
                  <dt>{name}</dt>
                  <dd className="numbers">{formatBytes(bytes)}</dd>
                </div>
              ))}
            <dt>
              <strong>All</strong>
            </dt>
            <dd className="numbers">{formatBytes(memoryTotal(engine.memory))}</dd>
          </dl>
        </>
      )}
    </section>
  );
}
