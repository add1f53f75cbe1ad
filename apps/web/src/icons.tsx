/**
 * Icons on a grid of 20, in the colour of the text. Each icon has a text beside it with the same
 * meaning.
 */
import type { ComponentChildren } from 'preact';

/**
 * `children` creates new nodes for each render. A shared node would keep a reference to the tree in
 * which it was first rendered.
 */
const icon = (children: () => ComponentChildren) => () => (
  <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
    {children()}
  </svg>
);

export const MenuIcon = icon(() => <path d="M3 5.5h14M3 10h14M3 14.5h14" />);
export const PeopleIcon = icon(() => (
  <>
    <circle cx="7.5" cy="7" r="2.75" />
    <path d="M2.5 16c.4-3 2.3-4.5 5-4.5s4.6 1.5 5 4.5M13 4.6a2.75 2.75 0 0 1 0 4.9M14.7 11.9c1.7.6 2.6 2 2.8 4.1" />
  </>
));
export const SettingsIcon = icon(() => (
  <>
    <path d="M3 6h8M15 6h2M3 14h2M9 14h8" />
    <circle cx="13" cy="6" r="2" />
    <circle cx="7" cy="14" r="2" />
  </>
));
export const MoreIcon = icon(() => <path d="M5 10h.01M10 10h.01M15 10h.01" stroke-width="2.4" />);
export const PlusIcon = icon(() => <path d="M10 4v12M4 10h12" />);
export const CloseIcon = icon(() => <path d="M5 5l10 10M15 5L5 15" />);
export const SunIcon = icon(() => (
  <>
    <circle cx="10" cy="10" r="3.25" />
    <path d="M10 2.5v1.8M10 15.7v1.8M2.5 10h1.8M15.7 10h1.8M4.7 4.7l1.3 1.3M14 14l1.3 1.3M15.3 4.7L14 6M6 14l-1.3 1.3" />
  </>
));
export const MoonIcon = icon(() => <path d="M16.5 11.8A6.8 6.8 0 0 1 8.2 3.5a6.8 6.8 0 1 0 8.3 8.3z" />);
export const SendIcon = icon(() => <path d="M3.5 10L16.5 4l-4 12.5-3-5.5-6-1zM9.5 11l7-7" />);
export const UpIcon = icon(() => <path d="M10 16V4.5M5.5 9L10 4.5 14.5 9" />);
export const DownIcon = icon(() => <path d="M10 4v11.5M5.5 11l4.5 4.5 4.5-4.5" />);
export const LeaveIcon = icon(() => <path d="M8 3.5H4.5v13H8M12 6.5l3.5 3.5-3.5 3.5M15.5 10H7.5" />);
export const BellIcon = icon(() => (
  <path d="M5 13.5c1-1 1.5-2.4 1.5-5a3.5 3.5 0 0 1 7 0c0 2.6.5 4 1.5 5zM8.5 16a1.6 1.6 0 0 0 3 0" />
));
export const ClockIcon = icon(() => (
  <>
    <circle cx="10" cy="10" r="6.5" />
    <path d="M10 6.5V10l2.5 1.75" />
  </>
));
export const CheckIcon = icon(() => <path d="M4.5 10.5l3.5 3.5 7.5-8" />);
export const SearchIcon = icon(() => (
  <>
    <circle cx="9" cy="9" r="5" />
    <path d="M12.8 12.8L17 17" />
  </>
));
export const GearIcon = icon(() => (
  <>
    <circle cx="10" cy="10" r="2.4" />
    <path d="M8.6 2.5h2.8l.4 2 1.6.9 1.9-.7 1.4 2.4-1.5 1.4v1l1.5 1.4-1.4 2.4-1.9-.7-1.6.9-.4 2H8.6l-.4-2-1.6-.9-1.9.7-1.4-2.4 1.5-1.4v-1L3.3 7.1l1.4-2.4 1.9.7 1.6-.9z" />
  </>
));
export const ReadIcon = icon(() => <path d="M2.5 10.5l3.5 3.5 7-8M9.5 14l7.5-8.5" />);
export const ChatIcon = icon(() => <path d="M3.5 4.5h13v9h-7l-3.5 3v-3h-2.5z" />);
export const SmileIcon = icon(() => (
  <>
    <circle cx="10" cy="10" r="6.75" />
    <path d="M7.2 11.8c.7 1 1.6 1.5 2.8 1.5s2.1-.5 2.8-1.5M7.7 8.2h.01M12.3 8.2h.01" />
  </>
));
export const ReplyIcon = icon(() => <path d="M8 5L3.5 9.5 8 14M3.5 9.5h8c3 0 5 1.8 5 5v1" />);
export const LockIcon = icon(() => <path d="M6 9h8v6.5H6zM7.5 9V6.8a2.5 2.5 0 0 1 5 0V9" />);
export const PencilIcon = icon(() => <path d="M4 16l1-3.5L13.5 4 16 6.5 7.5 15z" />);
export const CompassIcon = icon(() => (
  <>
    <circle cx="10" cy="10" r="6.75" />
    <path d="M12.8 7.2l-1.5 4.1-4.1 1.5 1.5-4.1z" />
  </>
));
