// The file to take away, in the two forms that other tools read. Where a base is unknown to a tool, the item says so.
import { useState } from 'react';
import { Menu, MenuItem, MenuTrigger } from 'react-aria-components/Menu';
import { Popover } from 'react-aria-components/Popover';
import { Text } from 'react-aria-components/Text';
import { useStore } from 'zustand';
import { modelOf } from '../../../state/engine-state';
import { exportSubject } from '../../../state/subjects';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { saveFile } from '../../hooks/save-file';
import s from './Menu.module.css';

const formats = [
  { id: 'kohya', label: 'LoRA for AUTOMATIC1111 and ComfyUI (kohya)' },
  { id: 'peft', label: 'LoRA for diffusers (PEFT)' },
] as const;

type ExportMenuProps = { readonly subjectId: string; readonly checkpointStep?: number };

/** The button "Export" with its menu: of the newest weights, or, as an icon, of one checkpoint. */
export function ExportMenu({ subjectId, checkpointStep }: ExportMenuProps) {
  const app = useApp();
  const model = useStore(app.engine, modelOf);
  const [isBusy, setBusy] = useState(false);
  const save = async (format: (typeof formats)[number]['id']) => {
    setBusy(true);
    const exported = await exportSubject(app, subjectId, format, checkpointStep);
    if (exported) saveFile(exported.fileName, exported.file);
    setBusy(false);
  };
  const isDisabled = !model || isBusy;
  return (
    <MenuTrigger>
      {checkpointStep === undefined ? (
        <Button icon="download" isDisabled={isDisabled}>
          {isBusy ? 'Writing…' : 'Export'}
        </Button>
      ) : (
        <Button
          look="quiet"
          icon="download"
          aria-label={`Download step ${checkpointStep}`}
          isDisabled={isDisabled}
        />
      )}
      <Popover className={s['popover']!} placement="bottom end">
        <Menu className={s['menu']!} aria-label="Export">
          {formats.map(({ id, label }) => (
            <MenuItem
              key={id}
              id={id}
              className={s['item']!}
              textValue={label}
              onAction={() => void save(id)}
            >
              <Text slot="label">{label}</Text>
              <Text slot="description">{loadsIn(model?.loraLoadsIn[id] ?? [], id)}</Text>
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

function loadsIn(tools: readonly string[], format: 'kohya' | 'peft'): string {
  const isUnknown = format === 'kohya' && !['AUTOMATIC1111', 'ComfyUI'].some((tool) => tools.includes(tool));
  if (isUnknown || (tools.length === 1 && tools[0] === 'diffusers'))
    return 'Only diffusers can use the file: other tools do not know this base model.';
  return `Loads in ${tools.join(', ')}.`;
}
