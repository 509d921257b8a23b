/** Boxes of a view: a titled section, single figures, pairs of names and values. */
import type { ComponentChildren, JSX } from 'preact';

type PanelProps = {
  readonly title: string;
  /** On the right of the title. */
  readonly aside?: ComponentChildren;
  readonly className?: string;
  readonly children: ComponentChildren;
};

export function Panel({ title, aside, className = '', children }: PanelProps): JSX.Element {
  const id = `panel-${title.toLowerCase().replace(/[^a-z]+/g, '-')}`;
  return (
    <section class={`panel ${className}`} aria-labelledby={id}>
      <div class="panel-head">
        <h2 id={id}>{title}</h2>
        {aside !== undefined && <div class="quiet">{aside}</div>}
      </div>
      {children}
    </section>
  );
}

export type Fact = {
  readonly label: string;
  readonly value: ComponentChildren;
  /** Smaller, below the value. */
  readonly note?: ComponentChildren;
  /** By which tests find the value. */
  readonly field?: string;
};

/** Large figures side by side. */
export function Figures({ facts }: { readonly facts: readonly Fact[] }): JSX.Element {
  return (
    <dl class="figures">
      {facts.map(({ label, value, note, field }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd class="number">
            <span data-field={field}>{value}</span>
            {note !== undefined && <small>{note}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Names and values, one pair a line. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }): JSX.Element {
  return (
    <dl class="facts">
      {facts.map(({ label, value, note, field }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            <span data-field={field}>{value}</span>
            {note !== undefined && <small>{note}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
