/** What the node logs, as it does. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { LogLine } from '../../contract.ts';
import * as format from '../format.ts';
import { filterLogs, LEVELS, type Level } from '../log-list.ts';
import { LongList } from '../parts/long-list.tsx';
import type { ViewProps } from '../view-props.ts';

const ROW_HEIGHT_PX = 26;

export function LogsView({ feed }: ViewProps): JSX.Element {
  const [level, setLevel] = useState<Level>('debug');
  const [text, setText] = useState('');
  const [frozen, setFrozen] = useState<readonly LogLine[] | undefined>();
  const [isAtEnd, setIsAtEnd] = useState(true);
  const rows = useMemo(() => filterLogs(frozen ?? feed.logs, level, text), [frozen, feed.logs, level, text]);
  const isPaused = frozen !== undefined;
  return (
    <section class="panel" aria-label="Log">
      <div class="controls">
        <label>
          Level
          <select
            value={level}
            onChange={({ currentTarget }) => setLevel(LEVELS.find((each) => each === currentTarget.value) ?? 'debug')}
          >
            {LEVELS.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
        <label>
          Filter
          <input
            type="search"
            placeholder="module or text"
            value={text}
            maxLength={100}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </label>
        <button type="button" aria-pressed={isPaused} onClick={() => setFrozen(isPaused ? undefined : feed.logs)}>
          Pause
        </button>
        <p class="quiet number">
          {format.plural(rows.length, 'line')}
          {feed.logsLeftOut > 0 && `, ${format.count(feed.logsLeftOut)} more in debug.log`}
        </p>
      </div>
      <LongList
        label="Log lines"
        columns={4}
        rows={rows}
        rowHeightPx={ROW_HEIGHT_PX}
        isFollowing={isAtEnd && !isPaused}
        onAtEnd={setIsAtEnd}
        head={
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Level</th>
            <th scope="col">Module</th>
            <th scope="col">Message</th>
          </tr>
        }
        row={logRow}
      />
      {rows.length === 0 && <p class="quiet">No line fits.</p>}
    </section>
  );
}

function logRow({ number, atMs, level, module, text }: LogLine): JSX.Element {
  return (
    <tr key={number} class={`log ${level}`}>
      <td class="number quiet">{format.timeOfDay(atMs)}</td>
      <td class="level">{level}</td>
      <td>{module ?? ''}</td>
      <td title={text}>{text}</td>
    </tr>
  );
}
