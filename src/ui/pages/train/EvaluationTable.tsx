// The losses on the fixed set as a table: the figure's dots for those who do not see them.
import { useEffect, useState } from 'react';
import { useApp } from '../../app-context';
import { formatLoss } from '../../format';
import s from './Train.module.css';

/** A disclosure; the table is read from the series only while it is open. */
export function EvaluationTable() {
  const { losses } = useApp();
  const [isOpen, setIsOpen] = useState(false);
  const [points, setPoints] = useState<readonly { readonly step: number; readonly loss: number }[]>([]);
  useEffect(() => {
    if (!isOpen) return;
    return losses.subscribe(() => {
      if (losses.evaluations.length > 0) setPoints([...losses.evaluations]);
    });
  }, [losses, isOpen]);
  return (
    <details
      onToggle={({ currentTarget }) => {
        setIsOpen(currentTarget.open);
        setPoints([...losses.evaluations]);
      }}
    >
      <summary>Evaluation losses</summary>
      {isOpen && (
        <table className={s['evaluations']}>
          <thead>
            <tr>
              <th>Step</th>
              <th>Loss</th>
            </tr>
          </thead>
          <tbody>
            {points.map(({ step, loss }) => (
              <tr key={step}>
                <td>{step}</td>
                <td>{formatLoss(loss)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
}
