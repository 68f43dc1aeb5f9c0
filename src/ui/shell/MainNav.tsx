// The five places.
import { Icon } from '../components/Icon';
import { places, useRoute, type Place } from '../hooks/use-route';
import s from './Shell.module.css';

const placeNames: Readonly<Record<Place, string>> = {
  train: 'Train',
  create: 'Create',
  chat: 'Chat',
  models: 'Models',
  settings: 'Settings',
};

/** The navigation "Main". */
export function MainNav() {
  const place = useRoute();
  return (
    <nav aria-label="Main" className={s['nav']}>
      <ul>
        {places.map((name) => (
          <li key={name}>
            <a className={s['link']} href={`#/${name}`} aria-current={name === place ? 'page' : undefined}>
              <Icon name={name} />
              {placeNames[name]}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
