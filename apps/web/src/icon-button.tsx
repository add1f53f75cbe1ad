/** A button that shows an icon only. Its label is its name, and its tooltip unless one is given. */
import type { ButtonHTMLAttributes } from 'preact';

interface IconButtonProps extends Omit<ButtonHTMLAttributes, 'aria-label' | 'type'> {
  label: string;
  class?: string;
}

export const IconButton = ({ label, class: more, ...others }: IconButtonProps) => (
  <button
    type="button"
    title={label}
    {...others}
    class={more === undefined ? 'icon-button' : `icon-button ${more}`}
    aria-label={label}
  />
);
