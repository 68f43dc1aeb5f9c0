// One of a few, each with its words on a card: native radio buttons, which cover their cards.
import { useId, type ReactNode } from 'react';
import s from './RadioCards.module.css';

type RadioCard<Value extends string> = {
  readonly value: Value;
  readonly label: string;
  readonly hint?: ReactNode;
};

type RadioCardsProps<Value extends string> = {
  readonly label: string;
  readonly cards: readonly RadioCard<Value>[];
  readonly value: Value | undefined; // undefined: none of them
  readonly isDisabled?: boolean;
  readonly onChange: (value: Value) => void;
};

/** A radio group. */
export function RadioCards<Value extends string>({
  label,
  cards,
  value,
  isDisabled = false,
  onChange,
}: RadioCardsProps<Value>) {
  const id = useId();
  return (
    <div role="radiogroup" aria-label={label} className={s['group']}>
      {cards.map((card) => (
        <label key={card.value} className={s['card']}>
          <input
            type="radio"
            name={id}
            aria-label={card.label}
            aria-describedby={card.hint ? `${id}-${card.value}` : undefined}
            checked={value === card.value}
            disabled={isDisabled}
            onChange={() => onChange(card.value)}
          />
          <span className={s['name']}>{card.label}</span>
          {card.hint && (
            <span className={s['hint']} id={`${id}-${card.value}`}>
              {card.hint}
            </span>
          )}
        </label>
      ))}
    </div>
  );
}
