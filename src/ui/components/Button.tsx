// The page's button: React Aria's, in our four looks.
import type { ReactNode } from 'react';
import { Button as AriaButton, type ButtonProps as AriaButtonProps } from 'react-aria-components/Button';
import s from './controls.module.css';
import { Icon, type IconName } from './Icon';

type Look = 'plain' | 'primary' | 'quiet' | 'danger';

type ButtonProps = Omit<AriaButtonProps, 'className' | 'children' | 'style'> & {
  readonly look?: Look;
  readonly icon?: IconName;
  readonly children?: ReactNode; // without children it shows its icon alone and needs an aria-label
};

/** A button. */
export function Button({ look = 'plain', icon, children, ...rest }: ButtonProps) {
  const isIcon = children === undefined;
  const names = [s['button'], look === 'plain' ? '' : s[look], isIcon ? s['icon'] : ''];
  return (
    <AriaButton {...rest} className={names.join(' ')}>
      {icon && <Icon name={icon} />}
      {children}
    </AriaButton>
  );
}
